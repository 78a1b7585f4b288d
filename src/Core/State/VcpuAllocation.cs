using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastXen.Core.Float;

namespace FastXen.Core.State;

/// <summary>Makes and frees the unmanaged memory of a vCPU: its state and the two sliding register buffers.</summary>
public static unsafe class VcpuAllocation
{
    /// <summary>Registers in the linear buffer of the register stack; more than twice what a frame with all its dirty registers needs.</summary>
    public const int StackRegisters = 2048;

    /// <summary>Registers in the sliding buffer of the rotating floating-point file.</summary>
    public const int FrRegisters = 96 * 6;

    /// <summary>Where the current frame starts after a reset or a re-basing.</summary>
    public const int StackMiddle = StackRegisters / 2;

    /// <summary>Allocates a vCPU in the reset state (PSR 0, empty frame, FPSR 0x0009804c0270033f).</summary>
    public static VcpuState* Allocate()
    {
        // Lanes past the buffers' ends are read by vector copies, never used.
        int stack = StackRegisters * sizeof(ulong);
        int nats = StackRegisters;
        int floats = FrRegisters * sizeof(FloatRegister);
        nuint header = (nuint)((sizeof(VcpuState) + 63) & ~63);
        nuint size = header + (nuint)(stack + nats + floats + 256);
        byte* block = (byte*)NativeMemory.AlignedAlloc(size, 64);
        NativeMemory.Clear(block, size);
        var s = (VcpuState*)block;
        s->StackBuffer = (ulong*)(block + header);
        s->StackNatBuffer = block + header + stack;
        s->FrBuffer = (FloatRegister*)(block + header + stack + nats);
        Reset(s);
        return s;
    }

    /// <summary>Frees what <see cref="Allocate"/> made.</summary>
    public static void Free(VcpuState* s) => NativeMemory.AlignedFree(s);

    /// <summary>Puts the processor's registers into the reset state; pointers to its surroundings stay.</summary>
    public static void Reset(VcpuState* s)
    {
        Unsafe.InitBlock(s->Gr, 0, 32 * 8);
        Unsafe.InitBlock(s->GrNat, 0, 32);
        Unsafe.InitBlock(s->OtherBank, 0, 16 * 8);
        Unsafe.InitBlock(s->OtherBankNat, 0, 16);
        Unsafe.InitBlock(s->Br, 0, 8 * 8);
        Unsafe.InitBlock(s->Ar, 0, 128 * 8);
        Unsafe.InitBlock(s->Cr, 0, 128 * 8);
        Unsafe.InitBlock(s->FrStatic, 0, 64 * 8);
        Unsafe.InitBlock(s->StackBuffer, 0, StackRegisters * 8);
        Unsafe.InitBlock(s->StackNatBuffer, 0, StackRegisters);
        Unsafe.InitBlock(s->FrBuffer, 0, (uint)(FrRegisters * sizeof(FloatRegister)));
        ((FloatRegister*)s->FrStatic)[1] = FloatRegister.One;
        s->FrameBase = s->StackBuffer + StackMiddle - 32;
        s->FrameNat = s->StackNatBuffer + StackMiddle - 32;
        s->RotatingFr = s->FrBuffer + (FrRegisters - 96) - 32;
        s->Pr = 1;
        s->GrLimit = 31;
        s->NatPresent = 0;
        s->Ip = 0;
        s->PsrValue = 0;
        s->Cfm = 0;
        s->BspStore = 0;
        s->Rnat = 0;
        s->Dirty = 0;
        s->GrUnrotated = 0;
        s->Retired = 0;
        s->IdleTime = 0;
        s->Deadline = 0;
        Interpret.Alat.Clear(s);
        s->Ar[Ar.Fpsr] = 0x0009_804c_0270_033f;
    }
}
