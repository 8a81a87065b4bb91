package dev.penjing.evaluation.data;

import dev.hardwood.InputFile;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.reader.RowReader;
import dev.hardwood.row.PqList;
import dev.hardwood.row.PqMap;
import dev.hardwood.row.PqStruct;
import dev.hardwood.row.StructAccessor;
import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Rows in Parquet, as JSON has them: a list is an array, a struct an object.
final class ParquetRows {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private ParquetRows() {}

    static void read(Path file, Rows.Sink sink, TextInput.Limits limits) throws IOException {
        if (Files.size(file) > limits.bytes()) {
            throw new Rows.BrokenException(
                    "it holds more than %,d bytes".formatted(limits.bytes()));
        }
        try (ParquetFileReader reader = ParquetFileReader.open(InputFile.of(file))) {
            rows(reader, sink);
        } catch (PenjingException e) {
            throw e;
        } catch (RuntimeException | IOException e) {
            // the library has no exception of its own for what is no Parquet
            String said = e.getMessage() == null ? e.toString() : e.getMessage();
            throw new Rows.BrokenException(said.lines().findFirst().orElse("no Parquet"));
        }
    }

    private static void rows(ParquetFileReader reader, Rows.Sink sink) {
        try (RowReader rows = reader.rowReader()) {
            boolean more = true;
            while (more && rows.hasNext()) {
                rows.next();
                more = sink.row(object(rows));
            }
        }
    }

    private static ObjectNode object(StructAccessor struct) {
        ObjectNode object = NODES.objectNode();
        for (int i = 0; i < struct.getFieldCount(); i++) {
            object.set(struct.getFieldName(i), node(struct.getValue(i)));
        }
        return object;
    }

    private static JsonNode node(@Nullable Object value) {
        return switch (value) {
            case null -> NODES.nullNode();
            case String s -> NODES.stringNode(s);
            case Boolean b -> NODES.booleanNode(b);
            case Integer i -> NODES.numberNode(i);
            case Long l -> NODES.numberNode(l);
            case Float f -> NODES.numberNode(f);
            case Double d -> NODES.numberNode(d);
            case BigDecimal d -> NODES.numberNode(d);
            case byte[] bytes -> NODES.binaryNode(bytes);
            case PqStruct struct -> object(struct);
            case PqList list -> {
                ArrayNode array = NODES.arrayNode(list.size());
                for (int i = 0; i < list.size(); i++) {
                    array.add(node(list.get(i)));
                }
                yield array;
            }
            case PqMap map -> {
                ObjectNode object = NODES.objectNode();
                for (PqMap.Entry entry : map.getEntries()) {
                    object.set(String.valueOf(entry.getKey()), node(entry.getValue()));
                }
                yield object;
            }
            default -> NODES.stringNode(value.toString()); // dates and times as ISO 8601
        };
    }
}
