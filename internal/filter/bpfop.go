package filter

// Opcodes of the classic BPF machine, as in McCanne and Jacobson, "The BSD
// Packet Filter" (USENIX Winter 1993), and the kernel's linux/filter.h. An
// opcode is a class, plus a size and mode, or an operation and source.
const (
	clsLd   uint16 = 0x00
	clsLdx  uint16 = 0x01
	clsSt   uint16 = 0x02
	clsStx  uint16 = 0x03
	clsALU  uint16 = 0x04
	clsJmp  uint16 = 0x05
	clsRet  uint16 = 0x06
	clsMisc uint16 = 0x07
	clsMask uint16 = 0x07

	sizeW    uint16 = 0x00
	sizeH    uint16 = 0x08
	sizeB    uint16 = 0x10
	sizeMask uint16 = 0x18

	modeImm  uint16 = 0x00
	modeAbs  uint16 = 0x20
	modeInd  uint16 = 0x40
	modeMem  uint16 = 0x60
	modeLen  uint16 = 0x80
	modeMsh  uint16 = 0xa0
	modeMask uint16 = 0xe0

	aluAdd uint16 = 0x00
	aluSub uint16 = 0x10
	aluMul uint16 = 0x20
	aluDiv uint16 = 0x30
	aluOr  uint16 = 0x40
	aluAnd uint16 = 0x50
	aluLsh uint16 = 0x60
	aluRsh uint16 = 0x70
	aluNeg uint16 = 0x80
	aluMod uint16 = 0x90
	aluXor uint16 = 0xa0

	jmpA    uint16 = 0x00
	jmpEq   uint16 = 0x10
	jmpGt   uint16 = 0x20
	jmpGe   uint16 = 0x30
	jmpSet  uint16 = 0x40
	operMsk uint16 = 0xf0

	srcK uint16 = 0x00
	srcX uint16 = 0x08

	miscTxa uint16 = 0x80
)

// The instructions that the generator and the optimizer name as a whole.
const (
	opLdImm  = clsLd | modeImm
	opLdLen  = clsLd | modeLen
	opLdMem  = clsLd | modeMem
	opLdxImm = clsLdx | modeImm
	opLdxMem = clsLdx | modeMem
	opLdxMsh = clsLdx | modeMsh | sizeB
	opSt     = clsSt
	opStx    = clsStx
	opTax    = clsMisc
	opTxa    = clsMisc | miscTxa
	opRet    = clsRet
	opJa     = clsJmp | jmpA
	opJeq    = clsJmp | jmpEq
	opJeqX   = clsJmp | jmpEq | srcX
	opJset   = clsJmp | jmpSet
	opNeg    = clsALU | aluNeg
	opAddX   = clsALU | aluAdd | srcX
	opSubX   = clsALU | aluSub | srcX

	// opNop marks a statement that the optimizer has removed.
	opNop uint16 = 0xffff
)

// memWords is how many scratch words the machine has.
const memWords = 16

// acceptLen is what a program returns for a packet that matches: the most
// that anything here captures of a packet, so that a kernel keeps all of it.
const acceptLen = 262144
