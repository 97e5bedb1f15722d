"""HTML to text: what a person reads, nothing hidden, nothing fetched."""

from __future__ import annotations

import pytest

from mailticket.mail import read
from mailticket.mail.html import MAX_TEXT, to_text, without_pictures


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>One</div><div>Two</div>", "One\nTwo"),
        ("One<br>Two<br/><br>Three", "One\nTwo\n\nThree"),
        ("<div>One</div><div><br></div><div>Two</div>", "One\n\nTwo"),
        ("  a \n b\t<b> c</b>  d ", "a b c d"),
        ("a&nbsp;b &lt;c&gt; &amp; &#20320;", "a b <c> & 你"),
        ("<h1>Title</h1>text", "Title\n\ntext"),
        ("<ul><li>a<li>b</ul>", "- a\n- b"),
        ("<ol start=3><li>a</li><li>b</li></ol>", "3. a\n4. b"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>", "A | B\n1 | 2"),
        ("<table><tr><td><p>A</p></td><td><p>B</p></td></tr></table>", "A | B"),
        ("<table><tr><td><p>A</p><p>B</p></td><td>C<br>D</td></tr></table>", "A\n\nB\nC\nD"),
        ("<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td><td>c</td></tr></table>", "a | b\n\nc"),
        ("a<br>-- <br>Ann", "a\n-- \nAnn"),
        ("<table><tr><td></td><td>only</td><td> </td></tr></table>", "only"),
        ("<pre>a  b\n  c</pre>", "a  b\n  c"),
        ("<blockquote>q<blockquote>r</blockquote></blockquote>s", "> q\n>\n> > r\n\ns"),
        ("a<hr>b", "a\n\n________________________________\n\nb"),
        ('<a href="https://x.example/p">page</a>', "page (https://x.example/p)"),
        ('<a href="https://x.example/p">https://x.example/p</a>', "https://x.example/p"),
        ('<a href="https://www.x.example/">www.x.example</a>', "www.x.example"),
        ('<a href="mailto:a@x.example">a@x.example</a>', "a@x.example"),
        ('<a href="mailto:a@x.example">Ann</a>', "Ann (a@x.example)"),
        ('<a href="javascript:alert(1)">click</a>', "click"),
        ('<a href="#top">up</a>', "up"),
        ('<a href="https://x.example/"><img src="l.png" alt="Logo"></a>', "[Logo] (https://x.example/)"),
        ('<img src="https://t.example/p.gif" width="1" height="1" alt="pixel">x', "x"),
        ('<img src="cid:a" alt="Screenshot">', "[Screenshot]"),
        ('x<img src="cid:a">', "x"),
        ("<script>alert('<p>no</p>')</script>yes<style>p{}</style>", "yes"),
        ("<head><title>no</title></head><body>yes</body>", "yes"),
        ('<span style="display:none">no</span>yes', "yes"),
        ('<div style="color:red; DISPLAY : none !important"><p>no</p></div>yes', "yes"),
        ('<p style="font-size:0px">no</p>yes', "yes"),
        ('<p style="font-size:10px">small</p>', "small"),
        ('<p style="visibility:hidden">no</p>yes', "yes"),
        ('<p style="opacity:0.5">half</p>', "half"),
        ("<p hidden>no</p>yes", "yes"),
        ("<!-- no --><![if !mso]>yes<![endif]><!--[if mso]>no<![endif]-->", "yes"),
        ("<svg><text>no</text></svg><math><mi>no</mi></math>yes", "yes"),
        ("<p>preheader&zwnj;&nbsp;&zwnj;&nbsp;&zwnj;&nbsp;</p>", "preheader"),
        ("a\x00b\x07c", "a b c"),
        ("<p>unclosed <b>bold", "unclosed bold"),
        ("plain, no tags", "plain, no tags"),
        ("<div>" * 2000 + "deep", "deep"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_markup_reads_as_a_person_would_write_it(markup: str, text: str) -> None:
    assert to_text(markup) == text


def test_pictures_written_into_the_markup_do_not_crowd_out_the_text() -> None:
    picture = '<img src="data:image/png;base64,' + "A" * 900_000 + '">'
    assert to_text(without_pictures(f"{picture}<p>the words</p>")) == "the words"
    html = b"Content-Type: text/html\r\n\r\n" + f"{picture * 3}<p>the words</p>".encode()
    assert read(html).text == "the words" and not [w for w in read(html).warnings if "cut" in w]


def test_a_mail_says_so_when_its_markup_was_cut() -> None:
    html = b"Content-Type: text/html\r\n\r\n" + b"<p>x</p>" * 100_000
    assert [w for w in read(html).warnings if "HTML was longer" in w]


def test_what_comes_out_is_bounded() -> None:
    for markup in ("<p>x</p>" * 200_000, "<blockquote>x" * 100_000, "<ul><li>x" * 100_000, "<td>x" * 200_000):
        assert len(to_text(markup)) <= MAX_TEXT


def test_no_tag_survives() -> None:
    text = to_text("<p>a<scr<script>ipt>alert(1)</script><img src=x onerror=alert(1)>b<//p><" + "b>c")
    assert "<" not in text.replace("<//p>", "") and "onerror" not in text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ('<td style="font-size:0"><span style="font-size: 14px">seen</span> unseen</td>', "seen"),
        (
            '<div style="font-size:0px;line-height:0"><p style="font-size:1rem">one</p><p>two</p></div>three',
            "one\n\nthree",
        ),
        ('<div style="FONT-SIZE: 0.0pt"><font size="2">old way</font></div>', "old way"),
        ('<div style="font:0/0 a">gone</div><div style="font: 12px Arial">here</div>', "here"),
        ('<div style="font-size:0"><img alt="Receipt" src="r.png"></div>', "[Receipt]"),
        ('<div style="font-size:0"><b style="font-size:2em">relative to nothing</b></div>x', "x"),
        ('<div style="font-size:0"><b style="font-size:120%">of nothing</b></div>x', "x"),
        ('<div style="font-size:0"><div style="display:none;font-size:12px">hidden</div></div>x', "x"),
        ('<div style="font-size:0.8em">small but there</div>', "small but there"),
        ('<div style="font-size:0"><i style="font-size:9px">in<u style="font-size:0">no</u>side</i></div>', "inside"),
        ('a<embed src="x.swf">b', "ab"),
        (
            '<object data="film"><p>The film could not be shown, order 5512.</p></object>',
            "The film could not be shown, order 5512.",
        ),
        ('<div style="white-space:pre-wrap">one\ntwo\n\n  three</div>', "one\ntwo\n\n  three"),
        ('<span style="white-space: pre">a\tb\nc\td</span>', "a\tb\nc\td"),
        ('<p style="color:red; WHITE-SPACE:pre-line">a   b\n   c</p>', "a b\nc"),
        (
            '<div style="white-space:pre-wrap">x\ny<div style="white-space:normal">p\nq</div></div>r\ns',
            "x\ny\np q\nr s",
        ),
        ('<div style="white-space:nowrap">a\nb</div>', "a b"),
        ('<div style="white-space:break-spaces">k\nl</div><p>m\nn</p>', "k\nl\n\nm n"),
        ('<pre style="white-space:pre-wrap">u\nv</pre>w\nx', "u\nv\n\nw x"),
        ('<div style="white-space:pre-wrap">\n  <p>one</p>\n  <p>two</p>\n</div>', "one\n\ntwo"),
    ],
)
def test_sizes_and_line_ends_are_those_of_the_element_itself(markup: str, text: str) -> None:
    assert to_text(markup) == text
