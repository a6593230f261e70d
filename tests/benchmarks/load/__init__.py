"""Load on one API process: how many submits it takes, whether it answers, what waiting costs."""
