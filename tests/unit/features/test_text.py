import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from stockcast.features.text import similar_texts


def plain(texts, known):
    """The same by scikit-learn."""
    terms = TfidfVectorizer(strip_accents="unicode", token_pattern=r"(?u)\b\w+\b", ngram_range=(1, 2))
    terms.fit(sorted(set(known) - {""}))
    return (terms.transform(texts) @ terms.transform(known).T).toarray()


KNOWN = ["Green tea, 20 bags", "Green tea, 40 bags", "Olive oil 750 ml", "", "Dish soap 500 ml", "olive OIL 750 ml"]
TEXTS = ["Black tea, 20 bags", "Dish soap 750 ml", "", "nothing of the kind", "Olive oil 750 ml"]


def test_it_is_what_scikit_learn_gives():
    np.testing.assert_allclose(similar_texts(np.array(TEXTS), np.array(KNOWN)), plain(TEXTS, KNOWN), atol=1e-12)


def test_each_text_is_compared_by_itself():
    whole = similar_texts(np.array(TEXTS), np.array(KNOWN))
    for at, text in enumerate(TEXTS):
        assert similar_texts(np.array([text]), np.array(KNOWN))[0].tobytes() == whole[at].tobytes()
    order = np.array([3, 0, 5, 1, 4, 2])
    np.testing.assert_array_equal(similar_texts(np.array(TEXTS), np.array(KNOWN)[order]), whole[:, order])


def test_texts_without_words_are_like_nothing():
    assert similar_texts(np.array(["tea", "…"]), np.array(["", "—"])).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert similar_texts(np.array([], dtype="<U1"), np.array(["tea"])).shape == (0, 1)


def test_accents_and_case_make_no_difference():
    assert similar_texts(np.array(["CAFÉ MOULU"]), np.array(["café moulu", "thé"])).round(9).tolist() == [[1.0, 0.0]]
