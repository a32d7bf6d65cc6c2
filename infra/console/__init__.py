"""The watch page: a stage's switch in a browser on the operator's own machine.

    watch.py      looks at the stage, piece by piece, and keeps what it saw last
    picture.py    from what was seen to the one document that the page draws
    feed.py       one look after another for as long as a page is open, sent to every page
    driving.py    the switch that this console drives, or whose driver it waits for, in a thread of its own
    readying.py   the prewarm that it waits for, in another
    sent.py       what the page sends with each button
    actions.py    what the buttons do: the commands' own rules, with the confirmations in them
    guard.py      who may ask: loopback, one origin, a key of this start
    server.py     all of it behind HTTP
    page/         the page itself

Nothing is asked of AWS while no page is open.
"""
