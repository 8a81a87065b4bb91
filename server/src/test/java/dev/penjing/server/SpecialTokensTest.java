package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Texts begin with a BOS token where the model's do, as in vLLM, and never with two.
class SpecialTokensTest {
    private static final String BOS = "<|endoftext|>";
    private static final String TEXT = "Cora lives in";

    /// The text that a model without one continues, the bundled teacher, and a copy that begins its
    /// texts.
    private static final String PLAIN = TestServer.MODEL;

    private static final String BEGINS = "begins";

    private static TestServer server;
    private static Wire wire;

    @BeforeAll
    static void start(@TempDir Path folder) {
        Teachers.beginning(folder.resolve(BEGINS));
        server =
                TestServer.start(
                        TestServer.Setup.USUAL, Map.of(BEGINS, folder.resolve(BEGINS)), o -> {});
        wire = new Wire(server.port());
    }

    @AfterAll
    static void end() {
        wire.close();
        server.close();
    }

    private static JsonNode post(String path, String model, String more) {
        Wire.Answer answer =
                wire.send(wire.post(path, "{\"model\": \"%s\", %s}".formatted(model, more)));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        return answer.json();
    }

    private static List<Integer> tokens(String model, String more) {
        List<Integer> ids = new ArrayList<>();
        post("/tokenize", model, more).path("tokens").forEach(id -> ids.add(id.asInt()));
        return ids;
    }

    private static String prompt(String text) {
        return "\"prompt\": \"" + text + "\"";
    }

    private static List<Integer> behindBos(List<Integer> ids) {
        List<Integer> all = new ArrayList<>(List.of(0));
        all.addAll(ids);
        return all;
    }

    @Test
    void tokenize() {
        List<Integer> ids = tokens(PLAIN, prompt(TEXT));
        assertThat(ids).doesNotContain(0);
        assertThat(tokens(PLAIN, prompt(TEXT) + ", \"add_special_tokens\": true")).isEqualTo(ids);
        assertThat(tokens(BEGINS, prompt(TEXT))).isEqualTo(behindBos(ids));
        assertThat(tokens(BEGINS, prompt(BOS + TEXT))).isEqualTo(behindBos(ids));
        assertThat(tokens(BEGINS, prompt(TEXT) + ", \"add_special_tokens\": false")).isEqualTo(ids);
        assertThat(tokens(BEGINS, prompt(""))).containsExactly(0);
    }

    /// The template writes control tokens; a user who writes them writes text.
    @Test
    void noTextOfAMessageIsASpecialToken() {
        String message = "\"messages\": [{\"role\": \"user\", \"content\": \"%s\"}]";
        List<Integer> plain = tokens(PLAIN, message.formatted("a b"));
        List<Integer> ids = tokens(PLAIN, message.formatted("a<|endoftext|><|im_end|>b"));
        for (int special = 0; special < 8; special++) {
            int id = special;
            assertThat(ids.stream().filter(i -> i == id).count())
                    .as("token %d", id)
                    .isEqualTo(plain.stream().filter(i -> i == id).count());
        }
        assertThat(post("/detokenize", PLAIN, "\"tokens\": " + ids).path("prompt").stringValue())
                .contains("a<|endoftext|><|im_end|>b")
                .doesNotContain("\ufdd0");
        // a completion's text is the client's own prompt
        assertThat(tokens(PLAIN, prompt("a" + BOS))).contains(0);
    }

    @Test
    void aConversationBeginsOnceAsItsTemplateSays() {
        String messages = "\"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}]";
        List<Integer> ids = tokens(PLAIN, messages);
        assertThat(tokens(BEGINS, messages)).isEqualTo(behindBos(ids));
        assertThat(tokens(BEGINS, messages + ", \"add_special_tokens\": true"))
                .isEqualTo(behindBos(ids));
        List<Integer> closed = tokens(PLAIN, messages + ", \"add_generation_prompt\": false");
        assertThat(closed).isEqualTo(ids.subList(0, closed.size())).hasSizeLessThan(ids.size());
        JsonNode answer = post("/v1/chat/completions", BEGINS, messages + ", \"max_tokens\": 1");
        assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(ids.size() + 1);
    }

    @Test
    void completionsBeginWhereTheModelDoes() {
        List<Integer> ids = tokens(PLAIN, prompt(TEXT));
        String more = ", \"temperature\": 0, \"max_tokens\": 8";
        JsonNode text = post("/v1/completions", BEGINS, prompt(TEXT) + more);
        assertThat(text.at("/usage/prompt_tokens").asInt()).isEqualTo(ids.size() + 1);
        JsonNode byIds = post("/v1/completions", BEGINS, "\"prompt\": " + behindBos(ids) + more);
        assertThat(byIds.at("/usage/prompt_tokens").asInt()).isEqualTo(ids.size() + 1);
        assertThat(text.at("/choices/0/text")).isEqualTo(byIds.at("/choices/0/text"));
        JsonNode bare =
                post(
                        "/v1/completions",
                        BEGINS,
                        prompt(TEXT) + more + ", \"add_special_tokens\": false");
        assertThat(bare.at("/usage/prompt_tokens").asInt()).isEqualTo(ids.size());
        JsonNode plain = post("/v1/completions", PLAIN, prompt(TEXT) + more);
        assertThat(plain.at("/usage/prompt_tokens").asInt()).isEqualTo(ids.size());
        JsonNode empty = post("/v1/completions", BEGINS, prompt("") + more);
        assertThat(empty.at("/usage/prompt_tokens").asInt()).isEqualTo(1);
    }

    /// The token is among the prompt's log-probabilities, but not in the text that is repeated.
    @Test
    void anEchoIsTheClientsOwnText() {
        List<Integer> ids = tokens(PLAIN, prompt(TEXT));
        String echo = ", \"echo\": true, \"logprobs\": 1, \"max_tokens\": ";
        JsonNode choice = post("/v1/completions", BEGINS, prompt(TEXT) + echo + 0).at("/choices/0");
        assertThat(choice.path("text").asString()).isEqualTo(TEXT);
        JsonNode logprobs = choice.path("logprobs");
        assertThat(logprobs.path("tokens")).hasSize(ids.size() + 1);
        assertThat(logprobs.at("/tokens/0").asString()).isEqualTo(BOS);
        assertThat(logprobs.at("/token_logprobs/0").isNull()).isTrue();
        assertThat(logprobs.at("/token_logprobs/1").isNumber()).isTrue();
        StringBuilder text = new StringBuilder();
        for (int i = 1; i <= ids.size(); i++) {
            assertThat(logprobs.path("text_offset").get(i).asInt()).isEqualTo(text.length());
            text.append(logprobs.path("tokens").get(i).asString());
        }
        assertThat(text.toString()).isEqualTo(TEXT);
        Wire.Answer stream =
                wire.send(
                        wire.post(
                                "/v1/completions",
                                "{\"model\": \"%s\", %s%s, \"stream\": true}"
                                        .formatted(BEGINS, prompt(TEXT), echo + 2)));
        assertThat(stream.events().getFirst().at("/choices/0/text").asString()).isEqualTo(TEXT);
    }
}
