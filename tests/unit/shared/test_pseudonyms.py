"""Under which pseudonyms a patient may be found."""

from shared.datasets.pseudonyms import all_pseudonyms, pseudonym

SECRET = "a secret of this installation"


def test_an_identifier_is_never_among_its_pseudonyms() -> None:
    found = all_pseudonyms(" MRN 17 ", SECRET)
    assert found[0] == pseudonym("MRN 17", SECRET)
    assert "MRN 17" not in found


def test_each_generation_is_the_pseudonym_of_the_one_before() -> None:
    first, second, third = all_pseudonyms("17", SECRET)
    assert (second, third) == (pseudonym(first, SECRET), pseudonym(second, SECRET))


def test_a_pseudonym_stands_for_itself() -> None:
    first, second, third = all_pseudonyms("17", SECRET)
    assert all_pseudonyms(first, SECRET)[:2] == [first, second]
    assert all_pseudonyms(second, SECRET)[:2] == [second, third]


def test_other_installations_have_other_pseudonyms() -> None:
    assert not set(all_pseudonyms("17", SECRET)) & set(all_pseudonyms("17", "another"))
