using System.Runtime.InteropServices;
using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Core.Tests.SystemLevel;

/// <summary>
/// Random bundles on random registers: whatever the guest does, the host neither throws nor hangs and the state keeps its invariants.
/// FASTXEN_FUZZ_PROGRAMS makes it longer.
/// </summary>
public sealed unsafe class RandomCodeTests
{
    private const int Bundles = 128, Steps = 400;

    private static int Programs => int.TryParse(Environment.GetEnvironmentVariable("FASTXEN_FUZZ_PROGRAMS"), out int count) ? count : 60;

    [Theory]
    [InlineData(SystemMachine.Kernel, 1)]
    [InlineData(SystemMachine.Kernel & ~Psr.Ic, 2)]
    [InlineData(SystemMachine.User, 3)]
    [InlineData(0UL, 4)]
    [InlineData(SystemMachine.User | Psr.Ss | Psr.Tb | Psr.Lp | Psr.Db, 5)]
    public void Random_code_keeps_the_invariants(ulong psr, int seed)
    {
        int executed = 0;
        for (int program = 0; program < Programs; program++)
        {
            var random = new Random(seed * 1_000_003 + program);
            using var m = new SystemMachine(Loop.Careful, psr);
            Prepare(m, random);
            for (int step = 0; step < Steps && m.Vcpu.StopReason is VcpuStop.None; step++)
            {
                ulong offset = m.S->Ip - SystemMachine.Code;
                if (offset >= Bundles * 16)
                {
                    // A vector, or a jump astray: go on at some bundle, in the mode that is tested.
                    ProcessorStatus.Set(m.S, psr);
                    m.S->Ip = SystemMachine.Code + (ulong)random.Next(Bundles) * 16;
                    m.S->Slot = random.Next(3);
                }

                Interpreter.StepBundle(m.S);
                executed++;
                Check(m, $"seed {seed}, program {program}, step {step}");
            }
        }

        Assert.True(executed > Programs * Steps / 4, $"only {executed} bundles ran");
    }

    [Theory]
    [InlineData(SystemMachine.Kernel, 11)]
    [InlineData(SystemMachine.User, 12)]
    public void Random_runs_keep_the_invariants(ulong psr, int seed)
    {
        for (int program = 0; program < Programs; program++)
        {
            var random = new Random(seed * 1_000_003 + program);
            using var m = new SystemMachine(Loop.Fast, psr);
            Prepare(m, random);
            // An endless loop is a program's right.
            using var guard = new Timer(_ => m.Vcpu.RequestStop(VcpuStop.Requested), null, 500, Timeout.Infinite);
            m.Vcpu.Run();
            Check(m, $"seed {seed}, program {program}");
        }
    }

    private static void Prepare(SystemMachine m, Random random)
    {
        ulong[] code = new ulong[Bundles * 2];
        for (int b = 0; b < Bundles; b++)
        {
            // Five of eight slots are without a predicate; templates of all kinds, the reserved ones too.
            UInt128 bundle = (uint)random.Next(32);
            for (int slot = 0; slot < 3; slot++)
                bundle |= (UInt128)((ulong)random.NextInt64(1L << 41) & (random.Next(8) < 5 ? ~0x3FUL : ~0UL)) << (5 + 41 * slot);
            code[2 * b] = (ulong)bundle;
            code[2 * b + 1] = (ulong)(bundle >> 64);
        }

        m.Write(SystemMachine.Code, MemoryMarshal.AsBytes<ulong>(code));
        m.Frame(random.Next(97), 0);
        for (uint r = 1; r <= m.S->GrLimit; r++)
        {
            ulong value = random.Next(4) switch
            {
                0 => SystemMachine.Data + (ulong)random.Next(0x1_0000),
                1 => (ulong)random.Next(256),
                2 => SystemMachine.Code + (ulong)random.Next(Bundles * 16),
                _ => (ulong)random.NextInt64() * 2,
            };
            m.SetGr(r, value, random.Next(8) == 0);
        }

        for (int b = 0; b < 8; b++)
            m.S->Br[b] = SystemMachine.Code + (ulong)random.Next(Bundles) * 16;
        for (uint f = 2; f < 128; f++)
            m.SetFr(f, (ulong)random.NextInt64() * 2, (uint)random.Next(1 << 18));
        m.S->Pr = (ulong)random.NextInt64() | 1;
        m.S->Ar[Ar.Pfs] = (ulong)random.NextInt64();
        m.S->Cr[Cr.Ifs] = 1UL << 63 | (ulong)random.NextInt64(1L << 38);
        m.S->Cr[Cr.Iip] = SystemMachine.Code;
    }

    private static void Check(SystemMachine m, string where)
    {
        VcpuState* s = m.S;
        Assert.True(s->Gr[0] == 0 && s->GrNat[0] == 0, $"r0: {where}");
        Assert.True((s->Pr & 1) != 0, $"p0: {where}");
        var zero = *Registers.Fr(s, 0);
        var one = *Registers.Fr(s, 1);
        Assert.True(zero.Significand == 0 && zero.SignExponent == 0 && one.Significand == 1UL << 63 && one.SignExponent == 0xFFFF, $"f0, f1: {where}");
        long first = s->FrameBase + 32 - s->StackBuffer;
        Assert.True(first is >= 128 and <= VcpuAllocation.StackRegisters - 128 && s->FrameNat + 32 - s->StackNatBuffer == first, $"frame at {first}: {where}");
        long rotating = s->RotatingFr + 32 - s->FrBuffer;
        Assert.True(rotating is >= 0 and <= VcpuAllocation.FrRegisters - 96, $"rotating registers at {rotating}: {where}");
        Assert.True(s->Dirty is >= -Rse.PhysicalRegisters and <= Rse.PhysicalRegisters, $"dirty {s->Dirty}: {where}");
        Assert.True(s->Dirty + s->Sof <= Rse.PhysicalRegisters, $"dirty {s->Dirty} and sof {s->Sof}: {where}");
        Assert.True(!FrameMarker.Malformed(s->Cfm) && s->GrLimit == 31 + (uint)s->Sof, $"cfm {s->Cfm:x}: {where}");
        Assert.True(s->Slot is >= 0 and <= 3, $"slot {s->Slot}: {where}");
        if (s->NatPresent != 0)
            return;
        bool nat = false;
        for (int r = 0; r < 32; r++)
            nat |= s->GrNat[r] != 0 || (r < 16 && s->OtherBankNat[r] != 0);
        Assert.False(nat || new Span<byte>(s->StackNatBuffer, VcpuAllocation.StackRegisters).ContainsAnyExcept((byte)0), $"NaT: {where}");
    }
}
