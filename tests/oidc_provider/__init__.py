"""Single sign-on at a real provider: the npm package `oidc-provider`, which is certified by the OpenID Foundation."""
