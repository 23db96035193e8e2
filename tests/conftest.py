"""What holds for every test: hypothesis sets no deadlines, as a busy machine must not fail a test."""

from hypothesis import settings

settings.register_profile("contractvm", deadline=None, print_blob=True)
settings.load_profile("contractvm")
