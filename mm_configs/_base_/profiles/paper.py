# The configs as they stand are the paper's protocol: nothing to change.
transforms = dict()
