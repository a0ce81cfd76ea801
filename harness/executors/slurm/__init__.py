"""Jobs of a Slurm cluster: ``sbatch``, ``squeue`` and ``scancel`` called by the executor."""
