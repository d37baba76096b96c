// JobIndex
