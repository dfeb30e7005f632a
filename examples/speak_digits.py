"""Makes the clips that `spoken_digits.py` learns from: digits spoken by espeak-ng, in several voices.

    pip install espeakng-loader && python examples/speak_digits.py

writes `examples/data/spoken_digits.npz`: single digits to learn from, and held-back utterances of three digits each,
spoken at once by the same voices at another pitch and speed. Samples are 8 bits wide (mu-law), 8000 a second.
"""

from __future__ import annotations

import ctypes
import itertools
from pathlib import Path
from typing import Any

import numpy as np

OUTPUT = Path(__file__).parent / "data" / "spoken_digits.npz"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
#: Voice, pitch and words a minute of what is learnt from.
VOICES = (
    ("en-us", 50, 160), ("en-us+f2", 60, 150), ("en-us+m3", 35, 150),
    ("en-gb-scotland", 40, 170), ("en-gb-scotland+f4", 50, 155), ("en-029+f3", 55, 165),
)  # fmt: skip
#: How many utterances each voice has that are held back, and what is added to its pitch and speed.
HELD_BACK, OTHER = 2, (8, 12)
RATE = 8000

#: Numbers of espeak-ng's interface: play nothing, UTF-8 text, and the parameters speed and pitch.
SYNCHRONOUS, UTF8, SPEED, PITCH = 2, 1, 1, 3


class Speaker:
    """espeak-ng, as a function from words to samples."""

    def __init__(self) -> None:
        import espeakng_loader  # pyright: ignore[reportMissingImports] - wanted by this script alone

        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        self.rate = self.library.espeak_Initialize(SYNCHRONOUS, 0, data, 0)
        self.heard: list[np.ndarray] = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self.callback = kind(self._hear)  # kept, for the library holds no reference
        self.library.espeak_SetSynthCallback(self.callback)

    def _hear(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self.heard.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def say(self, text: str, voice: str, pitch: int, speed: int) -> np.ndarray:
        """The samples of a text, without silence around them, at `RATE`."""
        self.heard.clear()
        if self.library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"espeak-ng has no voice {voice}")
        self.library.espeak_SetParameter(SPEED, speed, 0)
        self.library.espeak_SetParameter(PITCH, pitch, 0)
        spoken = text.encode()
        self.library.espeak_Synth(spoken, len(spoken) + 1, 0, 0, 0, UTF8, None, None)
        self.library.espeak_Synchronize()
        return trimmed(resampled(np.concatenate(self.heard) / 32768.0, self.rate))


def resampled(sound: np.ndarray, rate: int) -> np.ndarray:
    """A sound of another rate at `RATE`: its spectrum, cut or as it is."""
    size = round(len(sound) * RATE / rate)
    spectrum = np.fft.rfft(sound)
    kept = np.zeros(size // 2 + 1, complex)
    kept[: min(len(kept), len(spectrum))] = spectrum[: len(kept)]
    return np.fft.irfft(kept, size) * (size / len(sound))


def trimmed(sound: np.ndarray) -> np.ndarray:
    """A sound without the silence around it."""
    loud = np.flatnonzero(np.abs(sound) > 0.01 * np.abs(sound).max())
    return sound[loud[0] : loud[-1] + 1]


def narrowed(sound: np.ndarray) -> np.ndarray:
    """Samples between -1 and 1 as 8-bit mu-law."""
    loud = sound / np.abs(sound).max()
    bent = np.sign(loud) * np.log1p(255 * np.abs(loud)) / np.log(256)
    return np.round((bent + 1) * 127.5).astype(np.uint8)


def main() -> None:
    """Write all clips."""
    speaker, random = Speaker(), np.random.default_rng(0)
    clips = [(narrowed(speaker.say(word, *voice)), word) for voice, word in itertools.product(VOICES, WORDS)]
    later, speed = OTHER
    for voice, pitch, words in VOICES:
        for _ in range(HELD_BACK):
            text = " ".join(random.choice(WORDS, 3))
            clips.append((narrowed(speaker.say(text.replace(" ", ", "), voice, pitch + later, words + speed)), text))
    OUTPUT.parent.mkdir(exist_ok=True)
    sounds, texts = zip(*clips, strict=True)
    ends = np.cumsum([len(sound) for sound in sounds])
    np.savez_compressed(OUTPUT, samples=np.concatenate(sounds), ends=ends, texts=np.array(texts))
    print(f"{len(clips)} clips, {ends[-1] / RATE:.0f} s, {OUTPUT.stat().st_size / 1e3:.0f} KB")


if __name__ == "__main__":
    main()
