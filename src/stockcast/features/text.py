"""How alike two texts are: by the words that they share, rare ones counting more."""

import re
import unicodedata
from collections import Counter

import numpy as np
from jaxtyping import Float

_WORD = re.compile(r"\w+")


def similar_texts(texts: np.ndarray, known: np.ndarray) -> Float[np.ndarray, "text known"]:
    """Give the cosine of each text with each known one, by term frequency × inverse document frequency.

    Words and pairs of neighbouring words are the terms; of N distinct known texts, n with the term, it weighs
    ``1 + log((1 + N) / (1 + n))`` each time it occurs (Salton & Buckley 1988, smoothed). A term that no known text has
    counts nothing, so that no entry depends on which other texts are compared. An empty text is like nothing.

    The same as scikit-learn's ``TfidfVectorizer``, which takes longer to load than this takes to run.

    Parameters
    ----------
    texts, known
        Descriptions in any language; case and accents make no difference.

    Examples
    --------
    >>> known = np.array(["Green tea, 20 bags", "Wooden puzzle", ""])
    >>> similar_texts(np.array(["Black tea, 20 bags", "Card game"]), known).round(2).tolist()
    [[0.85, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    mine, at = np.unique(texts, return_inverse=True)
    theirs, place = np.unique(known, return_inverse=True)
    terms = [_terms(text) for text in theirs.tolist()]
    having = Counter(term for counts in terms for term in counts)
    size = sum(1 for counts in terms if counts)
    weight = {term: 1.0 + float(np.log((1 + size) / (1 + n))) for term, n in having.items()}
    holders: dict[str, list[tuple[int, float]]] = {}
    for column, counts in enumerate(terms):
        for term, value in _unit(counts, weight).items():
            holders.setdefault(term, []).append((column, value))
    listed = {
        term: (np.array([column for column, _ in some]), np.array([value for _, value in some]))
        for term, some in holders.items()
    }
    cosine = np.zeros((len(mine), len(theirs)))
    for row, text in enumerate(mine.tolist()):
        for term, value in _unit(_terms(text), weight).items():  # in the order of the text: the same sum always
            columns, values = listed[term]
            cosine[row, columns] += value * values
    return np.asarray(np.minimum(cosine, 1.0)[at][:, place])


def _terms(text: str) -> Counter[str]:
    """Count words and pairs of neighbouring words, without case and accents."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(sign))
    words = _WORD.findall(plain)
    return Counter(words + [f"{one} {next_one}" for one, next_one in zip(words, words[1:], strict=False)])


def _unit(counts: Counter[str], weight: dict[str, float]) -> dict[str, float]:
    """Weigh the terms that are known, and scale them to length 1."""
    values = {term: n * weight[term] for term, n in counts.items() if term in weight}
    length = float(np.sqrt(sum(value**2 for value in values.values())))
    return {term: value / length for term, value in values.items()}
