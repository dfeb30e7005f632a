"""GenerationConfig under the module path that users of 4.x import it from."""

from .configuration import GENERATION_CONFIG_NAME as GENERATION_CONFIG_NAME
from .configuration import GenerationConfig as GenerationConfig
from .configuration import GenerationMode as GenerationMode
