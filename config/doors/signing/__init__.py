"""How people sign in, show again who they are, and stay signed in."""
