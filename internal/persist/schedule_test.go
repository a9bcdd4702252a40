package persist

import (
	"testing"
	"time"
)

// However large the file and however short the interval, checkpoints write no
// more than 4 GB in any 24 hours, or one file if that is larger, and no less than
// half of that if there is enough to write.
func TestAllowance(t *testing.T) {
	const most = burstBytes + dailyBytes
	for _, size := range []int64{1000, 4 << 20, 48 << 20, 256 << 20, 900e6, 1 << 30, 4 << 30} {
		for _, interval := range []time.Duration{time.Second, 15 * time.Minute, time.Hour} {
			var a allowance
			type write struct {
				at    time.Time
				bytes int64
			}
			var writes []write
			begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
			for now := begin; now.Before(begin.Add(4 * day)); {
				a.spend(size, now)
				writes = append(writes, write{now, size})
				next := now.Add(interval)
				if allowed := a.after(size, now); allowed.After(next) {
					next = allowed
				}
				now = next
			}
			var worst, sum int64
			for first, last := 0, 0; last < len(writes); last++ {
				for sum += writes[last].bytes; writes[last].at.Sub(writes[first].at) >= day; first++ {
					sum -= writes[first].bytes
				}
				worst = max(worst, sum)
			}
			if worst > max(most, size) {
				t.Errorf("files of %d bytes every %v: %d bytes in a day", size, interval, worst)
			}
			possible := min(int64(day/interval)*size, most)
			if worst < possible/2 {
				t.Errorf("files of %d bytes every %v: only %d bytes in a day, of %d", size, interval, worst, possible)
			}
		}
	}
}
