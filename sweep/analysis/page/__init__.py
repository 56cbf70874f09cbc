"""The report as one HTML page that needs nothing else: no network, and no JavaScript to be read.

`write` puts together what `sections` (tables in words), `pictures` (static charts) and `plots`
(interactive charts) compute; `page.html.j2` lays it out, `page.css` and `page.js` beside it.
"""
