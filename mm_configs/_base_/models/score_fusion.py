# Mean of the class probabilities of networks that were trained and tested on their own; `weight` of a member is 1.
# A config gives `parents` with output='predictions' (docs/methods.md), or the paths of predictions.parquet files.
model = dict(
    type='ScoreFusion',
    members=dict(rgb=dict(predictions=''), depth=dict(predictions='')),
    average='prob')
