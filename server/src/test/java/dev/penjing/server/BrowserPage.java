package dev.penjing.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/// A page of a browser as a person uses it: with a mouse and a keyboard. It writes down what the
/// page asks the network for, and whatever the browser complains of. Elements are named by CSS
/// selectors.
final class BrowserPage implements AutoCloseable {
    private static final Map<String, Integer> KEYS =
            Map.of("Tab", 9, "Enter", 13, "Escape", 27, "ArrowUp", 38);

    private final Chromium browser;
    private final String context;
    private final String session;
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final List<String> complaints = new CopyOnWriteArrayList<>();

    /// Sessions of frames that have a process of their own.
    private final List<String> frames = new CopyOnWriteArrayList<>();

    BrowserPage(Chromium browser) {
        this.browser = browser;
        context =
                browser.call("", "Target.createBrowserContext", Map.of("disposeOnDetach", true))
                        .path("browserContextId")
                        .asString();
        String target =
                browser.call(
                                "",
                                "Target.createTarget",
                                Map.of("url", "about:blank", "browserContextId", context))
                        .path("targetId")
                        .asString();
        session =
                browser.call(
                                "",
                                "Target.attachToTarget",
                                Map.of("targetId", target, "flatten", true))
                        .path("sessionId")
                        .asString();
        // who uses a browser may copy; a page that does it by itself needs leave
        browser.call(
                "",
                "Browser.grantPermissions",
                Map.of(
                        "permissions",
                        List.of("clipboardReadWrite", "clipboardSanitizedWrite"),
                        "browserContextId",
                        context));
        watch(session);
        call("Page.enable", Map.of());
        call("Emulation.setFocusEmulationEnabled", Map.of("enabled", true));
        size(1280, 860);
    }

    /// Listens to a session, and to those of frames that have a process of their own.
    private void watch(String watched) {
        browser.listen(watched, (method, event) -> take(method, event));
        for (String domain : List.of("Runtime", "Log", "Network", "Audits")) {
            browser.begin(watched, domain + ".enable", Map.of());
        }
        browser.begin(
                watched,
                "Target.setAutoAttach",
                Map.of("autoAttach", true, "waitForDebuggerOnStart", true, "flatten", true));
        browser.begin(watched, "Runtime.runIfWaitingForDebugger", Map.of());
    }

    private void take(String method, JsonNode event) {
        switch (method) {
            case "Network.requestWillBeSent" ->
                    requests.add(event.path("request").path("url").asString());
            case "Network.webSocketCreated" -> requests.add(event.path("url").asString());
            case "Target.attachedToTarget" -> {
                String attached = event.path("sessionId").asString();
                watch(attached);
                if (event.path("targetInfo").path("type").asString().equals("iframe")) {
                    frames.add(attached);
                }
            }
            case "Target.detachedFromTarget" -> frames.remove(event.path("sessionId").asString());
            case "Runtime.exceptionThrown" ->
                    complaints.add("exception: " + event.path("exceptionDetails"));
            case "Runtime.consoleAPICalled" -> {
                if (List.of("error", "warning", "assert").contains(event.path("type").asString())) {
                    complaints.add("console: " + event.path("args"));
                }
            }
            case "Log.entryAdded" -> {
                JsonNode entry = event.path("entry");
                if (List.of("error", "warning").contains(entry.path("level").asString())) {
                    complaints.add(
                            "log: %s (%s)"
                                    .formatted(
                                            entry.path("text").asString(),
                                            entry.path("url").asString()));
                }
            }
            case "Audits.issueAdded" -> {
                JsonNode issue = event.path("issue");
                if (issue.path("code").asString().equals("ContentSecurityPolicyIssue")) {
                    complaints.add("policy: " + issue.path("details"));
                }
            }
            default -> {}
        }
    }

    private JsonNode call(String method, Map<String, ?> parameters) {
        return browser.call(session, method, parameters);
    }

    /// Every address that the page or a frame in it has asked for.
    List<String> requests() {
        return List.copyOf(requests);
    }

    /// What the browser complained of since this was last asked: scripts' errors, messages on the
    /// console, answers that were refused, breaches of the page's policy.
    List<String> complaints() {
        List<String> all = List.copyOf(complaints);
        complaints.removeAll(all);
        return all;
    }

    void size(int width, int height) {
        call(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
    }

    /// @param scheme `light` or `dark`
    void colours(String scheme) {
        call(
                "Emulation.setEmulatedMedia",
                Map.of(
                        "features",
                        List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
    }

    void open(String url) {
        call("Page.navigate", Map.of("url", url));
        await("document.readyState === 'complete' && location.href.startsWith('http')");
    }

    /// The value of an expression of JavaScript; a promise is waited for.
    JsonNode evaluate(String expression) {
        JsonNode result =
                call(
                        "Runtime.evaluate",
                        Map.of(
                                "expression", expression,
                                "awaitPromise", true,
                                "returnByValue", true,
                                "userGesture", true));
        if (result.has("exceptionDetails")) {
            throw new AssertionError(expression + ": " + result.path("exceptionDetails"));
        }
        return result.path("result").path("value");
    }

    /// Waits until an expression of JavaScript is true.
    void await(String expression) {
        await(
                "does not come true: " + expression,
                () -> evaluate("Boolean(" + expression + ")"),
                JsonNode::asBoolean);
    }

    /// As `Chromium.await`, with a picture of the page that is waited for in vain.
    private <T> T await(String complaint, Supplier<T> ask, Predicate<T> good) {
        try {
            return Chromium.await(complaint, ask, good);
        } catch (AssertionError e) {
            Path picture = Path.of("target", "playground.png");
            picture(picture);
            throw new AssertionError(
                    "%s; see %s; complaints %s".formatted(e.getMessage(), picture, complaints), e);
        }
    }

    /// Waits until the browser has complained of so many things since it was last asked.
    ///
    /// @return what of
    List<String> awaitComplaints(int count) {
        await("not %d complaints".formatted(count), () -> complaints, all -> all.size() >= count);
        return complaints();
    }

    /// Waits until there is such an element.
    void awaitElement(String selector) {
        await("document.querySelector(%s)".formatted(quoted(selector)));
    }

    /// Waits until an element shows this text.
    void awaitText(String selector, String text) {
        await(
                "document.querySelector(%s)?.innerText === %s"
                        .formatted(quoted(selector), quoted(text)));
    }

    /// The text of an element as it is seen.
    String text(String selector) {
        return evaluate("document.querySelector(%s).innerText".formatted(quoted(selector)))
                .asString();
    }

    /// What a field holds.
    String value(String selector) {
        return evaluate("document.querySelector(%s).value".formatted(quoted(selector))).asString();
    }

    static String quoted(String text) {
        return Wire.JSON.writeValueAsString(text);
    }

    /// Clicks into the middle of an element as soon as it can be clicked: it is enabled, does not
    /// move from one picture to the next, and nothing else covers it.
    void click(String selector) {
        JsonNode point =
                await(
                        "cannot click " + selector,
                        () ->
                                evaluate(
                                        """
                                        (async () => {
                                          const element = document.querySelector(%s);
                                          if (!element) return "not there";
                                          if (element.disabled) return "disabled";
                                          element.scrollIntoView({block: "nearest"});
                                          const place = () => {
                                            const box = element.getBoundingClientRect();
                                            return [box.x + box.width / 2, box.y + box.height / 2];
                                          };
                                          const before = place();
                                          await new Promise(requestAnimationFrame);
                                          await new Promise(requestAnimationFrame);
                                          const at = place();
                                          if (String(at) !== String(before)) return "moving";
                                          const hit = document.elementFromPoint(...at);
                                          return element.contains(hit) ? at : `covered by ${hit?.outerHTML}`;
                                        })()
                                        """
                                                .formatted(quoted(selector))),
                        JsonNode::isArray);
        for (String type : List.of("mousePressed", "mouseReleased")) {
            call(
                    "Input.dispatchMouseEvent",
                    Map.of(
                            "type",
                            type,
                            "x",
                            point.path(0).asDouble(),
                            "y",
                            point.path(1).asDouble(),
                            "button",
                            "left",
                            "clickCount",
                            1));
        }
    }

    /// Presses Tab, Enter, Escape or the arrow upwards.
    void press(String key) {
        Map<String, Object> event =
                Map.of("key", key, "code", key, "windowsVirtualKeyCode", KEYS.get(key));
        Map<String, Object> down = new java.util.HashMap<>(event);
        down.put("type", key.equals("Enter") ? "keyDown" : "rawKeyDown");
        if (key.equals("Enter")) {
            down.put("text", "\r");
        }
        call("Input.dispatchKeyEvent", down);
        Map<String, Object> up = new java.util.HashMap<>(event);
        up.put("type", "keyUp");
        call("Input.dispatchKeyEvent", up);
    }

    /// Presses a letter's key while Alt is held.
    void alt(char letter) {
        for (String type : List.of("rawKeyDown", "keyUp")) {
            call(
                    "Input.dispatchKeyEvent",
                    Map.of(
                            "type",
                            type,
                            "key",
                            Character.toString(letter),
                            "code",
                            "Key" + Character.toUpperCase(letter),
                            "modifiers",
                            1));
        }
    }

    /// Types into what has the focus, key by key.
    void type(String text) {
        text.codePoints()
                .mapToObj(Character::toString)
                .forEach(letter -> {
                    call(
                            "Input.dispatchKeyEvent",
                            Map.of("type", "keyDown", "key", letter, "text", letter));
                    call("Input.dispatchKeyEvent", Map.of("type", "keyUp", "key", letter));
                });
    }

    /// Presses Tab until an element has the focus.
    void tabTo(String selector) {
        String there = "document.activeElement?.matches(%s) === true".formatted(quoted(selector));
        for (int presses = 0; presses < 60; presses++) {
            if (evaluate(there).asBoolean()) {
                return;
            }
            press("Tab");
        }
        throw new AssertionError("Tab does not lead to " + selector);
    }

    /// Chooses from a list by typing what the choice begins with.
    void choose(String selector, String choice) {
        awaitElement(selector);
        evaluate("document.querySelector(%s).focus()".formatted(quoted(selector)));
        type(choice);
        await("document.activeElement.value === " + quoted(choice));
    }

    /// Puts a text into what has the focus, in one piece.
    void paste(String text) {
        call("Input.insertText", Map.of("text", text));
    }

    /// Replaces what a field holds.
    void fill(String selector, String text) {
        click(selector);
        evaluate("document.activeElement.select()");
        paste(text);
    }

    /// What was copied last.
    String clipboard() {
        return evaluate("navigator.clipboard.readText()").asString();
    }

    /// Waits until a frame in the page holds this text, whatever it may or may not run. The page's
    /// own text does not count.
    void awaitFrameText(String text) {
        await("no frame with the text " + text, this::frameTexts, all -> all.contains(text));
    }

    /// The texts of all frames: of those in the page's process, and of those in their own.
    private String frameTexts() {
        StringBuilder all = new StringBuilder();
        Map<String, ?> whole = Map.of("depth", -1, "pierce", true);
        for (JsonNode inner : call("DOM.getDocument", whole).findValues("contentDocument")) {
            add(inner, all);
        }
        for (String frame : frames) {
            try {
                add(browser.call(frame, "DOM.getDocument", whole), all);
            } catch (AssertionError e) {
                // it went away meanwhile, or its document is not there yet
                all.append(e.getMessage());
            }
        }
        return all.toString();
    }

    private static void add(JsonNode document, StringBuilder all) {
        document.findParents("nodeValue")
                .forEach(node -> all.append(node.path("nodeValue").asString()));
    }

    void picture(Path file) {
        String data =
                call("Page.captureScreenshot", Map.of("format", "png")).path("data").asString();
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.write(file, Base64.getDecoder().decode(data));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        browser.call("", "Target.disposeBrowserContext", Map.of("browserContextId", context));
    }
}
