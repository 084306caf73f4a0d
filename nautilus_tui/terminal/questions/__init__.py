"""What the terminal can ask, one value for each question, and what is known of its answer.

A pane says which questions it wants answered (``wants``); they are asked elsewhere, and what came
of it stands in the mirror under the question itself. Questions that are equal have one answer.
"""

from nautilus_tui.terminal.questions.question import Answer, Question, State

__all__ = ["Answer", "Question", "State"]
