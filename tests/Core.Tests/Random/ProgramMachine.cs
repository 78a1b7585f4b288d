using FastXen.Core.Float;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>A processor that is ready to run a random program.</summary>
internal sealed unsafe class ProgramMachine : IDisposable
{
    private readonly PhysicalMemory _memory;

    public ProgramMachine(GuestProgram program, EngineKind engine)
    {
        _memory = new PhysicalMemory(Layout.MemorySize);
        _memory.AddRam(0, Layout.MemorySize);
        Vcpu = new Vcpu(_memory, deterministic: true) { Engine = engine, TranslatorOptions = new() { Threshold = program.Threshold } };
        Load(program);
    }

    public Vcpu Vcpu { get; }

    /// <summary>The state before the first instruction.</summary>
    public void Load(GuestProgram program)
    {
        program.Memory.CopyTo(new Span<byte>(_memory.Base, program.Memory.Length));
        Vcpu.Reset();
        VcpuState* s = Vcpu.State;
        MmuState* m = s->Mmu;
        for (int region = 0; region < 8; region++)
            _ = MmuRegisters.SetRr(m, (ulong)region << 61, Layout.RegionRegister(region));
        _ = MmuRegisters.SetPta(m, Layout.VhptOffset | 15 << 2 | 1);
        _ = Tlb.InsertInstructionRegister(m, 0, 0, 20 << 2, Layout.Page);
        MapData(m);
        _ = Tlb.InsertDataRegister(m, 1, Layout.Address(Layout.VhptRegion, Layout.VhptOffset), 16 << 2, Layout.Vhpt | Layout.Page);
        SetRegisters(s, new Random(program.Seed), program.Nats);
        ulong first = Layout.Stretches;
        s->Ip = _memory.Read<ulong>(first);
        s->BspStore = _memory.Read<ulong>(first + 16);
        s->Ar[Ar.Rsc] = _memory.Read<ulong>(first + 24);
        s->Cr[Cr.Iva] = Layout.Iva;
        s->Cr[Cr.Itv] = Layout.TimerVector;
        s->Cr[Cr.Itm] = _memory.Read<ulong>(Layout.Period);
        s->ItmFired = 0;
        s->LastIp = s->Ip;
        ProcessorStatus.Set(s, _memory.Read<ulong>(first + 8));
        AddressSpace.SelectMode(s);
    }

    // Pieces of 64 KiB, those of the code not to be written, but for their second place.
    private static void MapData(MmuState* m)
    {
        const int shift = 16;
        const ulong free = 8;
        ulong slot = free;
        for (ulong address = 0; address < Layout.MemorySize; address += 1 << shift)
        {
            bool isCode = address is >= Layout.Code and < Layout.CodeEnd;
            _ = Tlb.InsertDataRegister(m, slot++, address, shift << 2, address | (isCode ? Layout.ReadOnly : Layout.Page));
            if (isCode)
                _ = Tlb.InsertDataRegister(m, slot++, Layout.Address(Layout.BackingRegion, address), shift << 2, address | Layout.Page);
        }
    }

    public void Dispose()
    {
        Vcpu.Dispose();
        _memory.Dispose();
    }

    private static void SetRegisters(VcpuState* s, Random random, bool nats)
    {
        for (uint r = 1; r < 32; r++)
            Registers.SetGr(s, r, (ulong)random.NextInt64() * 2, nats && random.Next(4) == 0 ? 1u : 0u);
        for (int r = 0; r < 16; r++)
            s->OtherBank[r] = (ulong)random.NextInt64() * 2;
        for (uint f = 2; f < 128; f++)
        {
            double value = (random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-40, 40));
            *Registers.Fr(s, f) = MemoryFormat.FromDouble(BitConverter.DoubleToUInt64Bits(value));
        }

        for (int b = 0; b < 8; b++)
            s->Br[b] = Layout.Code;
        s->Pr = (ulong)random.NextInt64() * 2 | 1;
    }
}
