"""Values and gradients at every hook point of every family, option and rotary kind once more, from a second seed.

    python second_seeds.py [NAME …]      (torch, transformers and safetensors from PyPI; versions go into each file's header)

The models of family_gradients.py and more_families.py with other weights and prompts of other lengths.
"""
import sys

import torch
import transformers

import family_gradients
import more_families

LENGTHS = [3, 2]

if __name__ == "__main__":
    torch.set_default_dtype(torch.float32)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    number = 0
    for module, names in ((family_gradients, family_gradients.FAMILIES), (more_families, more_families.MODELS)):
        for name in names:
            number += 1
            if not sys.argv[1:] or name in sys.argv[1:]:
                try:
                    module.write(name, 900 + number, root="second", lengths=LENGTHS, with_parameters=False)
                except Exception as error:  # every model is tried; failures are seen at the end
                    print(f"{name}: FAILED {type(error).__name__}: {str(error)[:300]}")
