"""Independent check of the first numbers of a stream: python3 stream.py

xoshiro256++ (Blackman and Vigna 2021) seeded by SplitMix64, as `src/stream.rs` uses them.
Prints what the test `a_seed_means_these_numbers_on_every_machine` expects.
"""
import math
import struct

M = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def finalise(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & M
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & M
    return z ^ (z >> 31)


def mix(x):
    return finalise((x + GOLDEN) & M)


def rotl(x, k):
    return ((x << k) | (x >> (64 - k))) & M


class Stream:
    def __init__(self, seed, purpose, index):
        state = mix(mix(mix(seed) ^ purpose) ^ index)
        self.s = []
        for _ in range(4):
            state = (state + GOLDEN) & M
            self.s.append(finalise(state))

    def next(self):
        s = self.s
        result = (rotl((s[0] + s[3]) & M, 23) + s[0]) & M
        t = (s[1] << 17) & M
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)
        return result

    def uniform(self):
        return (self.next() >> 11) / float(1 << 53)

    def normal(self):
        radius = math.sqrt(-2.0 * math.log(1.0 - self.uniform()))
        return radius * math.cos(2.0 * math.pi * self.uniform())

    def below(self, n):
        return (self.next() * n) >> 64


stream = Stream(7, 3, 3)
for value in (stream.uniform(), stream.normal()):
    print(hex(struct.unpack("<Q", struct.pack("<d", value))[0]), value)
print(stream.below(1000))
