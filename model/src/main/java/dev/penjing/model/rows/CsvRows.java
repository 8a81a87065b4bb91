package dev.penjing.model.rows;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.MappingIterator;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.csv.CsvMapper;
import tools.jackson.dataformat.csv.CsvReadFeature;

/// Rows in CSV as RFC 4180 has it; values are strings.
final class CsvRows {
    private static final ObjectReader CSV =
            new CsvMapper().readerFor(String[].class).with(CsvReadFeature.WRAP_AS_ARRAY);

    private CsvRows() {}

    /// @param columns those of a file without a header; the first row is a header if it names the
    ///   first of them
    static void read(TextInput in, Optional<List<String>> columns, Rows.Sink sink)
            throws IOException {
        try (MappingIterator<String[]> rows = CSV.readValues(in.reader())) {
            List<String> names = columns.orElse(List.of());
            boolean more = true;
            for (int number = 1; more && rows.hasNext(); number++) {
                List<String> values = List.of(rows.next());
                if (values.stream().allMatch(String::isEmpty)) {
                    continue;
                }
                if (number == 1 && isHeader(values, columns)) {
                    names = values.stream().map(String::strip).toList();
                    continue;
                }
                if (values.size() != names.size()) {
                    throw new Rows.BrokenException(
                            "row %d has %d values for %d columns"
                                    .formatted(number, values.size(), names.size()));
                }
                ObjectNode row = JsonNodeFactory.instance.objectNode();
                for (int i = 0; i < values.size(); i++) {
                    row.put(names.get(i), values.get(i));
                }
                more = sink.row(row);
            }
        }
    }

    private static boolean isHeader(List<String> values, Optional<List<String>> columns) {
        return columns.stream()
                .flatMap(c -> Stream.of(c.getFirst()))
                .allMatch(first -> values.stream().anyMatch(v -> v.strip().equals(first)));
    }
}
