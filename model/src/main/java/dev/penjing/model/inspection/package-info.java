/// What a checkpoint is, told from its headers alone, without tensor arithmetic. Start at
/// [dev.penjing.model.inspection.Inspection].
@org.jspecify.annotations.NullMarked
package dev.penjing.model.inspection;
