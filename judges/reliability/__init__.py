"""How reliable each judge has been, by all that all judges have said: published beside the court's rules, no part of them.

Dawid and Skene (1979): every judge has a table of how it answers when the truth is each of three (the first contestant is better on
this line, the second, or neither); truth and tables are found together. It needs no answers from outside, sees who is
systematically wrong, and is fooled where most judges are wrong alike, as every such method is: hidden audits are for that.
"""
