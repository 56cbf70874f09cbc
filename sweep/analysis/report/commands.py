"""The commands that make a sweep again, from its settings."""

import shlex

from sweep import words as text
from sweep.analysis.answers.chosen_trials import Choice, to_confirm
from sweep.analysis.frames.load import SweepFrames
from sweep.data.own_data import OwnData
from sweep.searches.brackets import n_brackets
from sweep.settings import Settings, Stage
from sweep.space.find import shipped_spaces
from sweep.space.source import fingerprint

_NOT_OPTIONS = ("baselines", "stages", "numerics", "own", "programs", "stopping")
"""Settings that no option of their name gives."""


def commands(frames: SweepFrames) -> list[str]:
    """Return the commands that make the sweep again: start, then extend and confirm if used.

    Budgets are not among them: a sweep that one ended and `resume` went on with is the same.
    """
    name, settings = frames.sweep.name, frames.sweep.settings
    lines = [_start(frames, settings), *_extensions(name, settings), *_trained_on(frames)]
    lines += _confirm(frames, settings)
    return [text.plain(shlex.join(line)) for line in lines]


def export_command(address: str, choice: Choice, *, ensemble: bool = False) -> str:
    """Return the command that exports exactly what was chosen, whatever is repeated later.

    `address` is what it names the sweep by, quoted for a shell.
    """
    options = "--ensemble " if ensemble else ""
    trial = choice.trial if ensemble else choice.run.trial
    return text.plain(f"sweep export {options}{address} {trial} best.keras")


def _start(frames: SweepFrames, settings: Settings) -> list[str]:
    defaults = Settings().to_json()
    values = settings.to_json()
    if frames.sweep.data.own is not None:  # its options say which rows
        values |= {name: defaults[name] for name in ("train_rows", "validation_rows", "test_rows")}
    if settings.stages:
        values["max_epochs"] = settings.stages[0].max_epochs
    words = ["sweep", "start", _space(frames), "--name", frames.sweep.name]
    for name, default in defaults.items():
        value = values[name]
        if name == "data" or (name not in _NOT_OPTIONS and value is not None and value != default):
            words += [f"--{name.replace('_', '-')}", str(value)]
    words += options_of(settings.own)
    if settings.patience is None:
        words += ["--patience", "0"]
    return words if settings.baselines else [*words, "--no-baselines"]


def options_of(own: OwnData) -> list[str]:
    """The options that say how a file is read, prepared and split."""
    words = []
    for name in own.given:
        option, value = name.replace("_", "-"), getattr(own, name)
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            for one in value if isinstance(value, tuple) else (value,):
                words += [f"--{option}", str(one)]
    for part, size in own.sizes.to_json().items():
        words += [f"--{part}-rows", size] if size else []
    return words


def _space(frames: SweepFrames) -> str:
    """Return the name of a shipped space, if it still is what was searched, else the file."""
    space = frames.sweep.space
    stem = space.name
    shipped = shipped_spaces().get(stem)
    if shipped is not None and fingerprint(shipped) == space.sha256:
        return stem
    return space.path or stem


def _extensions(name: str, settings: Settings) -> list[list[str]]:
    stages = settings.stages
    if not stages:
        return []
    begun = settings.iterations * n_brackets(stages[0].max_epochs, settings.factor)
    added = [Stage(stages[0].max_epochs, stages[0].brackets - begun), *stages[1:]]
    longest = stages[0].max_epochs
    lines = []
    for stage in added:
        words = ["sweep", "extend", name]
        if stage.max_epochs != longest:
            words += ["--max-epochs", str(stage.max_epochs)]
        if stage.brackets > 0:
            words += ["--add-brackets", str(stage.brackets)]
        longest = stage.max_epochs
        if len(words) > 3:
            lines.append(words)
    return lines


def _trained_on(frames: SweepFrames) -> list[list[str]]:
    """Return the `sweep extend` of chosen trials, one for each epoch that they were trained on to.

    Of the baselines, those that no extension of the search trained as far.
    """
    ends = {stage.max_epochs for stage in frames.sweep.settings.stages}
    ends.add(frames.sweep.settings.max_epochs)
    searched = set(frames.trials.loc[frames.trials["baseline"].isna(), "trial"])
    beside = frames.assignments[~frames.assignments["is_searched"].astype(bool)]
    is_chosen = beside["trial"].isin(searched) | ~beside["last_epoch"].isin(ends)
    chosen = beside[is_chosen & (beside["first_epoch"] > 0)]
    lines = []
    for end, group in chosen.groupby("last_epoch"):
        words = ["sweep", "extend", frames.sweep.name]
        for trial in group["trial"]:
            words += ["--trial", str(trial)]
        lines.append([*words, "--max-epochs", str(end)])
    return lines


def _confirm(frames: SweepFrames, settings: Settings) -> list[list[str]]:
    """Return the `sweep confirm` that repeats the same trials, as words of a command line.

    There is none if no single `--top` gives these trials, as after several confirms.
    """
    runs = frames.confirmations
    searched = frames.trials.loc[frames.trials["baseline"].isna(), "trial"]
    numbers = runs["seed_number"]
    if settings.executions > 1:  # those are of the search, and the numbers of others follow
        of_search = runs["confirms"].isin(searched)
        numbers = numbers - settings.executions * of_search
        runs, numbers = runs[numbers > 0], numbers[numbers > 0]
    seeds = 0 if runs.empty else int(numbers.max())
    wanted = set(runs["confirms"])
    if not wanted & set(searched) and seeds <= settings.seeds:
        return []
    for top in range(1, len(wanted) + 1):
        if set(to_confirm(frames, top)) == wanted:
            name = frames.sweep.name
            return [["sweep", "confirm", name, "--top", str(top), "--seeds", str(seeds)]]
    return []
