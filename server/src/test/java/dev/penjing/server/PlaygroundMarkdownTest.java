package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// How the playground shows what a model writes: Markdown, code and formulas, and never as HTML.
class PlaygroundMarkdownTest extends PlaygroundBrowser {
    /// Draws a text as an answer.
    private void draw(String text) {
        page.evaluate(
                """
                import('/playground/render.js').then(m => {
                  const box = document.createElement('div');
                  box.className = 'answer';
                  box.append(...m.blocks(%s));
                  document.querySelector('[data-testid=log]').replaceChildren(box);
                })
                """
                        .formatted(BrowserPage.quoted(text)));
    }

    /// A text as Markdown, in the page's tags without most of their attributes.
    private String drawn(String text) {
        draw(text);
        return page.evaluate(
                        """
                        (() => {
                          const box = document.querySelector('.answer');
                          for (const element of box.querySelectorAll('*'))
                            for (const { name } of [...element.attributes])
                              if (!['href', 'start', 'class'].includes(name)) element.removeAttribute(name);
                          return box.innerHTML;
                        })()
                        """)
                .asString();
    }

    @ParameterizedTest
    @CsvSource(
            delimiterString = " => ",
            quoteCharacter = '^',
            textBlock =
                    """
                    a **b** _c_ ~~d~~ `e` => <p>a <strong>b</strong> <em>c</em> <del>d</del> <code>e</code></p>
                    snake_case and 2*3*4 => <p>snake_case and 2*3*4</p>
                    \\\\*no\\\\* => <p>*no*</p>
                    - a\\n  - b\\n    1. c\\n- d => <ul><li>a<ul><li>b<ol start="1"><li>c</li></ol></li></ul></li><li>d</li></ul>
                    3. a\\n   b\\n\\n4. c => <ol start="3"><li>a<br>b</li><li>c</li></ol>
                    - [x] a\\n- [ ] b => <ul><li>☑ a</li><li>☐ b</li></ul>
                    > a\\n> > b => <blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>
                    In\\n1986. What => <p>In<br>1986. What</p>
                    a\\n\\n---\\nb => <p>a</p><hr><p>b</p>
                    [a](https://e.org/b_(c)) => <p><a href="https://e.org/b_(c)">a</a></p>
                    (see https://e.org/x). => <p>(see <a href="https://e.org/x">https://e.org/x</a>).</p>
                    <mailto:a@e.org> => <p><a href="mailto:a@e.org">mailto:a@e.org</a></p>
                    ![a](https://e.org/a.png) => <p><a href="https://e.org/a.png">a</a></p>
                    [a](javascript:alert(1)) => <p>[a](javascript:alert(1))</p>
                    [a](data:text/html,x) => <p>[a](data:text/html,x)</p>
                    [a](/playground/info) => <p>[a](/playground/info)</p>
                    <b onclick="x">a</b> => <p>&lt;b onclick="x"&gt;a&lt;/b&gt;</p>
                    costs $5 and $6 => <p>costs $5 and $6</p>
                    """)
    void marksUp(String text, String html) {
        assertThat(drawn(text.replace("\\n", "\n").replace("\\\\", "\\"))).isEqualTo(html);
    }

    @Test
    void drawsTables() {
        assertThat(drawn("| a | b |\n|:-:|--:|\n| 1 | `x|y` |\n| 2 |"))
                .isEqualTo(
                        "<div class=\"table\"><table><thead><tr><th class=\"center\">a</th><th class=\"end\">b</th></tr></thead>"
                                + "<tbody><tr><td class=\"center\">1</td><td class=\"end\"><code>x|y</code></td></tr>"
                                + "<tr><td class=\"center\">2</td><td class=\"end\"></td></tr></tbody></table></div>");
        assertThat(drawn("a | b\nno table")).isEqualTo("<p>a | b<br>no table</p>");
    }

    @ParameterizedTest
    @CsvSource(
            delimiterString = " => ",
            quoteCharacter = '^',
            textBlock =
                    """
                    $x_1^2$ => <math><mrow><msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup></mrow></math>
                    $\\frac{a}{2}$ => <math><mrow><mfrac><mrow><mi>a</mi></mrow><mrow><mn>2</mn></mrow></mfrac></mrow></math>
                    \\(\\sqrt[3]{\\alpha}\\) => <math><mrow><mroot><mrow><mi>α</mi></mrow><mrow><mn>3</mn></mrow></mroot></mrow></math>
                    $\\text{if } x \\in \\mathbb{R}$ => <math><mrow><mtext>if&nbsp;</mtext><mi>x</mi><mo>∈</mo><mi>ℝ</mi></mrow></math>
                    $\\unheardof{x}$ => <code class="latex">\\unheardof{x}</code>
                    $\\frac{a$ => <code class="latex">\\frac{a</code>
                    """)
    void drawsFormulas(String text, String html) {
        assertThat(drawn(text)).isEqualTo("<p>" + html + "</p>");
    }

    @Test
    void drawsFormulasOfTheirOwn() {
        assertThat(drawn("$$\n\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}\n$$"))
                .startsWith("<div class=\"formula\"><math><mrow><mrow><mo>(</mo><mtable><mtr><mtd>")
                .contains("<mtr><mtd><mrow><mn>3</mn></mrow></mtd><mtd><mrow><mn>4</mn></mrow>");
        assertThat(drawn("\\[\\sum_{i=1}^n i\\]"))
                .contains("<munderover><mo>∑</mo>", "<mi>n</mi></munderover>");
    }

    @Test
    void codeIsNamedColouredAndCopied() {
        String code = "def f(x):  # <b>\n    return \"a\" + 1";
        draw("```python\n" + code + "\n```");
        page.awaitText(id("code-language"), "python");
        assertThat(page.evaluate("document.querySelector('.answer pre').textContent").asString())
                .isEqualTo(code);
        assertThat(
                        page.evaluate(
                                        "[...document.querySelectorAll('.answer pre span')].map(s => s.className + ' ' + s.textContent).join('\\n')")
                                .asString())
                .isEqualTo(
                        "code-keyword def\ncode-comment # <b>\ncode-keyword return\ncode-string \"a\"\ncode-number 1");
        page.click(id("copy-block"));
        page.awaitText("#toast", "Code copied");
        assertThat(page.clipboard()).isEqualTo(code);
    }

    @Test
    void linksOpenElsewhereWithoutAWayBack() {
        draw("[a](https://e.org)");
        page.awaitElement(".answer a[rel=noopener][target=_blank]");
    }

    /// Texts that are made of openers alone are drawn in time that grows with their length.
    @Test
    void oddTextsTakeNoLonger() {
        String took =
                """
                import('/playground/markdown.js').then(m => Math.max(...['*', '[', '`', '$', '> ', '_a', '**a ', '- ', '|', '\\\\(', '- a\\n'].map(part => {
                  const start = performance.now();
                  m.parse(part.repeat(20000));
                  return performance.now() - start;
                })))
                """;
        assertThat(page.evaluate(took).asDouble()).isLessThan(5_000);
    }

    @Test
    void fitsATelephone() {
        page.size(390, 844);
        draw(
                """
                # A heading
                Some **bold** text with $e^{i\\pi} + 1 = 0$ and [a link](https://e.org).

                | Model | Parameters | Speed | A rather long column of words |
                |---|--:|:-:|---|
                | teacher | 2.1 M | 1 | as it was |
                | student | 1.0 M | 2 | as it is, half as large |

                1. One
                   - two
                     - three
                2. Four

                > A quotation, of *two*
                > lines.

                ```java
                /// Says hello.
                static String hello(String name) { return "Hello " + name + 42; } // and a line that is far too long for it
                ```

                $$\\sum_{i=1}^{n} \\frac{x_i^2}{\\sqrt{2\\pi\\sigma^2}} \\le \\left( \\int_0^\\infty f(x)\\,dx \\right)$$
                """);
        page.await("document.documentElement.scrollWidth <= 390");
        page.await("document.querySelector('[data-testid=log]').scrollWidth <= 390");
    }
}
