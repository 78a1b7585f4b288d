// All that a process records has the events of all its threads.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
