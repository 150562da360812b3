"""Passkeys on the page: enrolment, sign-in, and the signature under every approval of an operator who has one."""
