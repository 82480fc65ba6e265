"""What tests of the ground share."""

from tests.buckets import bucket_keys, place, s3_server

__all__ = ["bucket_keys", "place", "s3_server"]
