# The configs as they stand are the paper's protocol: nothing to change. Networks start from the weights that the metafiles list
# (`init` in benchmark.yml): at a rate of 1e-4 they hardly learn from scratch.
transforms = dict()
