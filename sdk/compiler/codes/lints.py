"""CV9xx: lints, which fail nothing. The format is `codes`'."""

ROWS = r"""
CV901 a loop that may grow without end
Whoever can add to the map or list can make the loop cost more gas than a block has, and the function is then of no
use to anybody. End it by break after a number of steps, or pay each one apart.
wrong:
    for name in self.names:
        self.total += self.names[name]
right:
    for i, name in enumerate(self.names):
        if i == 100:
            break
        self.total += self.names[name]

CV903 a line that nothing reaches
The function has returned, reverted, or left the loop before it.
wrong:
    return
    self.total = x
right:
    self.total = x
"""
