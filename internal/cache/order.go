package cache

// orderOf numbers packets with equal timestamps, so that a dump shows them in
// the order in which they came.
type orderOf struct {
	time int64
	tie  uint16
}

func (o *orderOf) next(time int64) uint16 {
	if time != o.time {
		o.time, o.tie = time, 0
	} else if o.tie < 1<<16-1 {
		o.tie++
	}
	return o.tie
}
