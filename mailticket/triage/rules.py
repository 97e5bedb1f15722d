"""The names of rules that others than the judge ask for: what was decided by them is counted, listed and told apart."""

OUTSIDE = "outside answer"  # the rule by which an answer of ours that went past mailticket is recorded
SENT = "sent"  # the rule, and the kind, of what lies in a folder of sent mail and is no answer
BOUNCE_UNCLAIMED = "bounce-unclaimed"  # a report that no letter of ours answers to: a person must look at it
BLOCKED = "blocked"  # the rule, and the kind, of what is filed for a block
