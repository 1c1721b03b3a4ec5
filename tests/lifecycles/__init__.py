"""Every move of every lifecycle, through the real functions (states.md): what is no row does not happen."""
