"""The documentation as a site: ``make docs``. The pages themselves lie in ``docs/``."""
