"""What a release is made of besides the wheel; docs/releasing.md says how one is made."""
