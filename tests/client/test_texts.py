"""Two languages: both whole, chosen as people expect, and told to the server."""

import ast
import re
from pathlib import Path

import click
import pytest
import wuzhen_client
from wuzhen_client import texts
from wuzhen_client.cli import cli
from wuzhen_client.messages import MESSAGES

from tests.client.network import Recorder
from tests.client.test_submitting import TO_ROUND
from tests.scoring.test_scoring import GOOD

SOURCES = sorted(Path(wuzhen_client.__file__).parent.glob("*.py"))
PLACES = re.compile(r"\{\w+\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAME_IN_BOTH = {"megabytes"}


def calls(name: str):
    """The first arguments of all calls of a function of texts, where they are literals."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
                yield node.args[0]


def help_keys():
    for command in (cli, *cli.commands.values()):
        yield command.help
        yield from (p.help for p in command.params if isinstance(p, click.Option))


def test_every_message_is_there_in_both_languages():
    for key, pair in MESSAGES.items():
        assert len(pair) == 2, key
        english, chinese = pair
        assert english.strip(), key
        assert not CHINESE.search(english), key
        has_words = re.search("[A-Za-z]", PLACES.sub("", english)) and key not in SAME_IN_BOTH
        assert CHINESE.search(chinese) or not has_words, f"{key} has no Chinese"
        assert sorted(PLACES.findall(english)) == sorted(PLACES.findall(chinese)), key


def test_every_text_that_is_used_is_in_the_table_and_no_other():
    literal = {a.value for a in calls("text") if isinstance(a, ast.Constant)}
    groups = {a.value for a in calls("label") if isinstance(a, ast.Constant)} | {"column"}
    named_elsewhere = {
        node.value
        for source in SOURCES
        if source.name != "messages.py"
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    used = literal | set(help_keys()) | {"help_help"}
    assert used - set(MESSAGES) == set()
    assert groups >= {"round_status", "submission_status", "run_status", "kind", "role"}
    left_over = {
        key
        for key in set(MESSAGES) - used - named_elsewhere
        if not key.startswith(tuple(f"{group}_" for group in groups))
    }
    assert left_over == set()


def test_words_to_people_are_nowhere_else():
    """What is echoed, said or raised comes from the table, not from literals."""
    shown = {"say", "tell", "warn", "echo", "Problem", "UsageProblem", "NetworkProblem", "prompt"}
    literals = [
        (source.name, node.lineno)
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", "") or getattr(node.func, "attr", "")) in shown
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value
    ]
    assert literals == []


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_message_can_be_filled_in(language):
    texts.choose(language)
    for key, (english, _chinese) in MESSAGES.items():
        values = {place.strip("{}"): "x" for place in PLACES.findall(english)}
        assert "{" not in texts.text(key, **values)
    texts.choose("en")


@pytest.mark.parametrize(
    ("arguments", "environment", "chinese"),
    [
        ([], {}, False),
        ([], {"LANG": "zh_CN.UTF-8"}, True),
        ([], {"LANG": "C.UTF-8"}, False),
        ([], {"LC_ALL": "en_GB.UTF-8", "LANG": "zh_CN.UTF-8"}, False),
        ([], {"LC_MESSAGES": "zh_CN", "LANG": "de_DE.UTF-8"}, True),
        ([], {"WUZHEN_LANG": "zh", "LC_ALL": "en_GB.UTF-8"}, True),
        ([], {"WUZHEN_LANG": "fr", "LANG": "zh_CN"}, True),
        (["--lang", "zh"], {"LANG": "en_GB.UTF-8"}, True),
        (["--lang=zh-Hans"], {}, True),
        (["--lang", "en"], {"WUZHEN_LANG": "zh"}, False),
    ],
)
def test_the_language_is_chosen(wuzhen, monkeypatch, arguments, environment, chinese):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    shown = wuzhen("--help", *arguments).stdout
    assert ("登录平台" in shown) == chinese
    assert ("Sign in to a platform" in shown) != chinese


@pytest.mark.parametrize("command", ["", *cli.commands])
def test_help_is_in_chinese_to_the_last_line(wuzhen, command):
    result = wuzhen(*filter(None, [command]), "--help", "--lang", "zh")
    assert result.exit_code == 0
    for english in ("Usage", "Options", "Commands", "Show", "required", "default"):
        assert english not in result.stdout
    assert len(CHINESE.findall(result.stdout)) > 30


USAGE = [
    (["nonsense"], "There is no command “nonsense”.", "没有命令“nonsense”。"),
    (["list", "--nonsense"], "There is no option “--nonsense”.", "没有选项“--nonsense”。"),
    (["submit", "x.csv", "--round", "r"], "“--event” is missing.", "缺少“--event”。"),
    (["rules", "cup"], "“ROUND” is missing.", "缺少“ROUND”。"),
    (["list", "--server"], "The option “--server” lacks its value", "选项“--server”缺少取值"),
    (["list", "--json=yes"], "The option “--json” lacks its value", "选项“--json”缺少取值"),
    (["list", "cup"], "more arguments than this command takes", "参数过多"),
    (["status", "7"], "“SUBMISSION_ID”: This is not the id", "“SUBMISSION_ID”：这不是提交的编号"),
    (["list"], "It is not known which platform to use", "不知道要使用哪个平台"),
    (["--server", "ftp://x", "list"], "“ftp://x” is not an address", "“ftp://x”不是服务器地址"),
]


@pytest.mark.parametrize(("arguments", "english", "chinese"), USAGE)
def test_faults_of_the_command_line(wuzhen, monkeypatch, arguments, english, chinese):
    for language, told in (("en", english), ("zh", chinese)):
        monkeypatch.setenv("WUZHEN_LANG", language)
        result = wuzhen(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert told in result.stderr
        assert len(result.stderr.splitlines()) == 1
        if language == "zh":
            assert result.stderr.startswith("错误：")


def test_an_unknown_language_is_told(wuzhen):
    result = wuzhen("--lang", "fr", "list")
    assert result.exit_code == 2
    assert "Choose en or zh." in result.stderr


def test_the_client_and_the_server_speak_chinese(wuzhen, signed_in, contest, folder, monkeypatch):
    monkeypatch.setenv("WUZHEN_LANG", "zh")
    (folder / "a.csv").write_bytes(GOOD)
    network = Recorder()
    shown = wuzhen("list", transport=network)
    assert {r.headers["Accept-Language"] for r in network.seen} == {"zh-hans"}
    for told in (
        "乌镇杯（cup）· 已发布 · 时间为 Asia/Shanghai",
        "人工智能",
        "初赛",
        "自动评分",
        "您的队伍",
    ):
        assert told in shown.stdout
    assert "，越大越好" in wuzhen("rules", "cup", "pre").stdout
    refused = wuzhen("submit", "a.csv", *TO_ROUND, "--kind", "onnx")
    assert refused.stderr.startswith("错误：本轮接受：")
    sent = wuzhen("submit", "a.csv", *TO_ROUND)
    assert "已收到，为 AI-001 的第 1 次提交" in sent.stdout
    assert "排队中" in wuzhen("status").stdout
    wrong = wuzhen("rules", "cup", "x")
    assert "没有轮次“x”；现有：pre。" in wrong.stderr


def test_states_that_the_client_does_not_know_yet_are_shown_as_they_are():
    assert texts.label("kind", "notebook") == "notebook"
    assert texts.label("kind", None) == ""


def test_without_a_command_the_help_is_shown(wuzhen):
    assert wuzhen().stdout == wuzhen("--help").stdout
    assert wuzhen("--version").stdout.strip() == f"wuzhen-client {wuzhen_client.__version__}"
