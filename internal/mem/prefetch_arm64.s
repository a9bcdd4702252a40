#include "textflag.h"

// func prefetch(addresses *uintptr, n int)
TEXT ·prefetch(SB), NOSPLIT, $0-16
	MOVD addresses+0(FP), R0
	MOVD n+8(FP), R1
next:
	MOVD (R0), R2
	PRFM (R2), PLDL1KEEP
	ADD  $8, R0
	SUB  $1, R1
	CBNZ R1, next
	RET
