package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// What the playground keeps of conversations, and how one goes on from any place in it.
class PlaygroundTalkTest extends PlaygroundBrowser {
    private static final String OTHER = "Who is Cora's friend?";

    private void reload() {
        page.open(servers.getLast());
        page.awaitElement(id("param-temperature"));
    }

    private void asked(String question) {
        int before = turns();
        ask(question);
        page.await("document.querySelectorAll('[data-status=done]').length === " + (before + 1));
    }

    private int turns() {
        return page.evaluate("document.querySelectorAll('[data-testid=turn]').length").asInt();
    }

    private JsonNode sent() {
        page.click(in(0, "tab-raw"));
        JsonNode request = Wire.JSON.readTree(page.text(in(0, "raw-request")));
        page.click(in(0, "tab-chat"));
        return request;
    }

    private int listed() {
        return page.evaluate("document.querySelectorAll('[data-testid=conversation]').length")
                .asInt();
    }

    @Test
    void theLongestAnswerIsTheChosenModels() {
        String most = "document.querySelector('#param-max_tokens').max";
        assertThat(page.evaluate(most).asString()).isEqualTo("255");
        page.choose(in(0, "model"), ENDLESS);
        page.await(most + " === '16383'");
        page.fill(id("param-max_tokens"), "900");
        page.click(id("prompt"));
        assertThat(page.value(id("param-max_tokens"))).isEqualTo("900");
        page.choose(in(0, "model"), TestServer.MODEL);
        page.await(most + " === '255'");
        assertThat(page.value(id("param-max_tokens"))).isEqualTo("255");
    }

    @Test
    void aConversationOutlivesItsPage() {
        page.fill(id("system"), "Be short.");
        page.choose(in(0, "model"), SMALLER);
        asked(QUESTION);
        String answer = answer(0);
        String total = figure("total");
        reload();
        page.awaitElement(turn(0, "done"));
        assertThat(answer(0)).isEqualTo(answer);
        assertThat(figure("total")).isEqualTo(total);
        page.await("document.querySelector('select').value === 'smaller'");
        assertThat(sent().path("messages").path(0).path("content").asString())
                .isEqualTo("Be short.");
        asked(OTHER);
        assertThat(sent().path("messages").path(1).path("content").asString()).isEqualTo(answer);
    }

    @Test
    void aResetCanBeUndone() {
        asked(QUESTION);
        String answer = answer(0);
        page.click(id("reset"));
        page.awaitElement(id("example"));
        page.click(id("undo"));
        page.awaitElement(turn(0, "done"));
        assertThat(answer(0)).isEqualTo(answer);
        page.click(id("reset"));
        page.awaitElement(id("example"));
        reload();
        page.awaitElement(id("example"));
        page.click(id("conversations-open"));
        assertThat(listed()).isZero();
    }

    @Test
    void conversationsAreListed() {
        asked(QUESTION);
        String answer = answer(0);
        page.click(id("conversations-open"));
        page.click(id("conversations-new"));
        page.awaitElement(id("example"));
        asked(EXAMPLE);
        page.click(id("conversations-open"));
        assertThat(listed()).isEqualTo(2);
        page.fill(id("conversations-search"), "LIVE cora where");
        page.await("document.querySelectorAll('[data-testid=conversation]').length === 1");
        page.evaluate(
                "URL.createObjectURL = blob => { window.saved = blob.text(); return 'data:,'; }");
        page.click(id("export-md"));
        assertThat(page.evaluate("window.saved").asString())
                .startsWith("# " + QUESTION)
                .contains("> " + QUESTION + "\n\n" + answer);
        page.click(id("export-json"));
        JsonNode column =
                Wire.JSON
                        .readTree(page.evaluate("window.saved").asString())
                        .at("/conversations/0/columns/0");
        assertThat(column.path("model").asString()).isEqualTo(TestServer.MODEL);
        assertThat(column.at("/messages/1/content").asString()).isEqualTo(answer);
        page.click(id("conversation-delete"));
        page.click(id("conversation-undo"));
        page.click(id("conversation-open"));
        page.awaitText(in(0, "question") + " .question-text", QUESTION);
        assertThat(answer(0)).isEqualTo(answer);
    }

    @Test
    void anEarlierQuestionIsChanged() {
        asked(QUESTION);
        asked(EXAMPLE);
        page.evaluate("document.querySelector('[data-testid=edit]').focus()");
        page.press("Enter");
        page.awaitElement(id("edit-text") + ":focus");
        page.fill(id("edit-text"), OTHER);
        page.click(id("edit-send"));
        page.await("document.querySelectorAll('[data-testid=turn]').length === 1");
        page.awaitElement(turn(0, "done"));
        JsonNode messages = sent().path("messages");
        assertThat(messages).hasSize(1);
        assertThat(messages.path(0).path("content").asString()).isEqualTo(OTHER);
        page.click(id("conversations-open"));
        assertThat(listed()).isEqualTo(2);
        page.click(
                "[data-testid=conversation]:not([aria-current]) [data-testid=conversation-open]");
        page.await("document.querySelectorAll('[data-testid=turn]').length === 2");
    }

    @Test
    void aBranchLeavesWhatWasThere() {
        asked(QUESTION);
        asked(EXAMPLE);
        page.click(id("branch"));
        page.await("document.querySelectorAll('[data-testid=turn]').length === 1");
        asked(OTHER);
        assertThat(sent().path("messages")).hasSize(3);
        page.click(id("conversations-open"));
        assertThat(listed()).isEqualTo(2);
        assertThat(page.text("[data-testid=conversation][aria-current]")).contains("branch");
    }

    @Test
    void aStoppedAnswerGoesOn() {
        page.choose(in(0, "model"), ENDLESS);
        ask(QUESTION);
        page.await("document.querySelector('%s').innerText.length > 60".formatted(in(0, "answer")));
        page.click(id("stop"));
        page.awaitElement(turn(0, "stopped"));
        server.awaitIdle(ENDLESS);
        String before = answer(0);
        // also what was stopped before the page was loaded anew
        reload();
        page.awaitElement(in(0, "model") + " option");
        page.click(in(0, "resume"));
        page.await(
                "document.querySelector('%s').innerText.length > %d"
                        .formatted(in(0, "answer"), before.length() + 60));
        page.click(id("stop"));
        page.awaitElement(turn(0, "stopped"));
        server.awaitIdle(ENDLESS);
        assertThat(answer(0)).startsWith(before).hasSizeGreaterThan(before.length() + 60);
        JsonNode said = sent().path("messages").path(1);
        assertThat(said.path("role").asString()).isEqualTo("assistant");
        assertThat(said.path("content").asString()).isEqualTo(before);
        assertThat(turns()).isEqualTo(1);
    }

    /// The oldest go where there is no room, the newest never.
    @Test
    void whatIsKeptIsBounded() {
        String bounded =
                "import('/playground/store.js').then(m => m.bounded([1, 2, 3].map(n => 'x'.repeat(10 * n)), %d, %d).length)";
        assertThat(page.evaluate(bounded.formatted(1000, 50)).asInt()).isEqualTo(3);
        assertThat(page.evaluate(bounded.formatted(1000, 2)).asInt()).isEqualTo(2);
        assertThat(page.evaluate(bounded.formatted(40, 50)).asInt()).isEqualTo(2);
        assertThat(page.evaluate(bounded.formatted(5, 50)).asInt()).isEqualTo(1);
        String odd = "{\"id\":\"a\",\"updated\":1,\"columns\":[{\"turns\":[{}]}]}";
        page.evaluate("localStorage.setItem('penjing.conversations', '[%s,7]')".formatted(odd));
        page.evaluate("sessionStorage.setItem('penjing.conversation', 'a')");
        reload();
        page.click(id("conversations-open"));
        assertThat(listed()).isZero();
        page.press("Escape");
        asked(QUESTION);
        page.click(id("conversations-open"));
        assertThat(listed()).isEqualTo(1);
    }

    @Test
    void keysLeadEverywhere() {
        page.evaluate("document.activeElement.blur()");
        page.type("?");
        page.awaitElement(id("shortcuts") + "[open]");
        assertThat(page.text("#shortcuts-list")).contains("Answer again", "New conversation");
        page.press("Escape");
        page.awaitElement(id("shortcuts") + ":not([open])");
        page.type("/");
        page.awaitElement(id("prompt") + ":focus");
        assertThat(page.value(id("prompt"))).isEmpty();
        asked(QUESTION);
        page.alt('y');
        page.awaitText("#toast", "Answer copied");
        page.click(id("prompt"));
        page.press("ArrowUp");
        page.awaitElement(id("edit-text") + ":focus");
        assertThat(page.value(id("edit-text"))).isEqualTo(QUESTION);
        page.press("Escape");
        page.await("!document.querySelector('[data-testid=edit-text]')");
        page.alt('n');
        page.awaitElement(id("example"));
    }
}
