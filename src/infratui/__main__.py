"""`python -m infratui`: the same as the console script."""

from infratui.cli import main

if __name__ == "__main__":
    main()
