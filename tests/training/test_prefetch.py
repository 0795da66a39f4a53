import os
import signal
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pytest
from toys import toy_corpus

from musenet.corpus.shards import open_split
from musenet.errors import UserError
from musenet.training.augment import Augmentation
from musenet.training.prefetch import Ahead, Drawer, Feed, Order, feeding
from musenet.training.shapes import shapes


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_corpus(tmp_path_factory.mktemp("corpus"))


def order(step: int, shaped: bool) -> Order:
    passes = shapes(64, 128) if shaped else ()
    return Order(7, step, 0, 256, 64, Augmentation(), passes)


def taken(feed: Feed, shaped: bool, steps: int = 5) -> list[bytes]:
    found = []
    for step in range(feed.ahead):
        feed.order(order(step, shaped))
    for step in range(steps):
        feed.order(order(step + feed.ahead, shaped))
        batches = feed.batches()
        found.append(b"".join(np.asarray(batch.features).tobytes() for batch in batches))
    return found


def test_what_is_drawn_ahead_is_what_is_drawn_when_asked_for(corpus: Path) -> None:
    drawer = Drawer(open_split(corpus, "train"))
    with feeding(drawer, str(corpus), 2) as ahead, feeding(drawer, str(corpus), 0) as inline:
        assert ahead.ahead > 2
        for shaped in (False, True):
            if shaped:
                for _ in range(ahead.ahead):
                    ahead.batches()
            assert taken(ahead, shaped) == taken(inline, shaped)


def test_a_process_that_died_is_told(corpus: Path) -> None:
    drawer = Drawer(open_split(corpus, "train"))
    with feeding(drawer, str(corpus / "none"), 1) as feed:
        assert isinstance(feed, Ahead)
        with pytest.raises(UserError, match="--loaders 0"):
            taken(feed, False)


def test_a_process_that_died_is_told_when_it_is_asked(corpus: Path) -> None:
    drawer = Drawer(open_split(corpus, "train"))
    with feeding(drawer, str(corpus), 1) as feed:
        (process,) = active_children()
        process.kill()
        process.join()
        with pytest.raises(UserError, match="--loaders 0"):
            feed.order(order(0, False))


def test_what_ends_the_training_leaves_the_drawing_to_its_end(corpus: Path) -> None:
    drawer = Drawer(open_split(corpus, "train"))
    with feeding(drawer, str(corpus), 1) as feed:
        taken(feed, False, 1)
        (process,) = active_children()
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(process.pid or 0, number)
        assert taken(feed, False, 3)
    assert not active_children()
