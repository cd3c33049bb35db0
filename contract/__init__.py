"""What passes between the parts of Claimflow, each fact once; the standard library only.

`model`, `container`, `functions`, `workflow` and `local` import this package, and it imports none of them.
`functions/contract` is a link to it, which `sam build` follows: the functions deploy with a copy.
"""
