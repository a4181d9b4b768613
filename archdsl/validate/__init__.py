"""Translation validation: the emitted file is held against the checked graph before anybody gets it.

Input: the text, the network elaborated without tracing, and its placement. Output: nothing, or Mismatch. The emitter's
code plays no part in it: the text is parsed and run on stand-ins for torch (`standins.py`, `program.py`), and what it
builds and calls is matched with what the graph has (`plan.py`, `run.py`, `weights.py`).
"""

from archdsl.validate.blocks import wrong_block_parameters
from archdsl.validate.check import Validation
from archdsl.validate.errors import Mismatch
from archdsl.validate.trials import wrong_parameters

__all__ = ["Mismatch", "Validation", "wrong_block_parameters", "wrong_parameters"]
