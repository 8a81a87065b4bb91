/// The rows of tables in files: JSON, CSV and Parquet, compressed or not. Start at
/// [dev.penjing.model.rows.Rows].
@org.jspecify.annotations.NullMarked
package dev.penjing.model.rows;
