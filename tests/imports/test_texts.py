"""Pages as plain text: nothing of them can do anything, and little of them is lost."""

import pytest

from judging.services.imports.texts import language_of, plain


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("a.html", "<h1>Title</h1>\n<p>One\n two</p><p>three</p>", "Title\n\nOne two\n\nthree"),
        ("a.html", "<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("a.html", "x<br>y<br/>z", "x\ny\nz"),
        ("a.html", "<pre>a\n  b</pre>c", "a\n  b\n\nc"),
        ("a.html", "<a href='https://x.org/a'>there</a>", "there (https://x.org/a)"),
        ("a.html", "<a href='https://x.org/'>https://x.org/</a>", "https://x.org/"),
        ("a.html", "<a href='javascript:alert(1)'>there</a>", "there"),
        ("a.html", "<tr><td>a</td><td>b</td></tr>", "| a | b"),
        ("a.html", "1 &lt; 2 &amp; 3&nbsp;!", "1 < 2 & 3 !"),
        ("a.html", "<p>a<style>p {color: red}</style>b", "ab"),
        ("a.html", "<script>if (a < b) { '</p>' }</script>c", "c"),
        ("a.html", "<unknown>kept</unknown>", "kept"),
        ("a.md", "# T\n\na < b, `List<int>` and <https://x.org>\n", "# T\n\na < b, `List<int>` and https://x.org"),
        ("a.md", "text <b>bold</b><br>\n    code", "text bold\n\n    code"),
        ("a.md", "![chart](a.png) and ![](b.png)", "[chart] and"),
        ("a.md", "[link](https://x.org)", "[link](https://x.org)"),
    ],
)  # fmt: skip
def test_pages_become_plain_text(name, text, wanted):
    assert plain(text, name)[0] == wanted


def test_what_is_lost_is_counted():
    _text, lost = plain("<img src=a><img alt=b><script>1</script><iframe src=x></iframe>", "a.html")
    assert lost == {"picture": 2, "script": 1, "iframe": 1}
    assert plain("![a](b) <img src='c'>", "a.md")[1] == {"picture": 2}


def test_the_language_of_a_text():
    assert language_of("乌镇数字竞赛") == "zh"
    assert language_of("Count the letters (乌镇)") == "en"
    assert language_of("2026") == "en"
