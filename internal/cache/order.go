package cache

import "github.com/packetcache/packetcache/internal/record"

// orderOf numbers packets with equal timestamps, so that a dump shows them in
// the order in which they came.
type orderOf struct {
	time int64
	tie  uint16
}

func (o *orderOf) next(time int64) uint16 {
	if time != o.time {
		o.time, o.tie = time, 0
	} else if o.tie < record.Moved-1 {
		o.tie++
	}
	return o.tie
}
