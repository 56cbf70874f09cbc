"""`sweep serve`, but jobs whose process was killed go on at once, and as often as they must."""

from functools import partial

from sweep.serve import options

options.ServeOptions = partial(  # type: ignore[misc,assignment]
    options.ServeOptions, retry_seconds=(0.1,) * 1000
)

if __name__ == "__main__":
    import sweep.cli

    sweep.cli.main()
