using FastXen.Core.Decode;
using FastXen.Core.Float;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Interpret;

/// <summary>Floating-point loads, load pairs and stores (SDM vol 3, ldf, ldfp, stf).</summary>
public static unsafe class FloatingMemory
{
    /// <summary>Fills the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        BindLoads<Single>(table, Opcode.Ldfs);
        BindLoads<Double>(table, Opcode.Ldfd);
        BindLoads<Integer>(table, Opcode.Ldf8);
        BindLoads<Extended>(table, Opcode.Ldfe);
        table[(int)Opcode.LdfFill] = &Load<Spilled, Ordinary>;
        BindLoads<SinglePair>(table, Opcode.Ldfps);
        BindLoads<DoublePair>(table, Opcode.Ldfpd);
        BindLoads<IntegerPair>(table, Opcode.Ldfp8);
        table[(int)Opcode.Stfs] = &Store<Single>;
        table[(int)Opcode.Stfd] = &Store<Double>;
        table[(int)Opcode.Stf8] = &Store<Integer>;
        table[(int)Opcode.Stfe] = &Store<Extended>;
        table[(int)Opcode.StfSpill] = &Store<Spilled>;
    }

    // The six forms of each format follow one another in Opcode.
    private static void BindLoads<TFormat>(delegate*<VcpuState*, Instruction*, int>* table, Opcode first) where TFormat : struct, IFormat
    {
        table += (int)first;
        table[0] = &Load<TFormat, Ordinary>;
        table[Opcode.LdfsS - Opcode.Ldfs] = &Load<TFormat, Speculative>;
        table[Opcode.LdfsA - Opcode.Ldfs] = &Load<TFormat, Advanced>;
        table[Opcode.LdfsSA - Opcode.Ldfs] = &Load<TFormat, SpeculativeAdvanced>;
        table[Opcode.LdfsCClr - Opcode.Ldfs] = &Load<TFormat, CheckClear>;
        table[Opcode.LdfsCNc - Opcode.Ldfs] = &Load<TFormat, CheckNoClear>;
    }

    private interface IFormat
    {
        static abstract int Bytes { get; }
        static virtual bool Pair => false;
        static abstract FloatRegister Read(byte* memory);
        static virtual FloatRegister ReadSecond(byte* memory) => default;
        static virtual void Write(byte* memory, in FloatRegister value) => throw new NotSupportedException();
    }

    private interface IForm
    {
        static virtual bool Speculative => false;
        static virtual bool Advanced => false;
        static virtual bool Check => false;
        static virtual bool Clear => false;
    }

    private readonly struct Ordinary : IForm;

    private readonly struct Speculative : IForm
    {
        static bool IForm.Speculative => true;
    }

    private readonly struct Advanced : IForm
    {
        static bool IForm.Advanced => true;
    }

    private readonly struct SpeculativeAdvanced : IForm
    {
        static bool IForm.Speculative => true;
        static bool IForm.Advanced => true;
    }

    private readonly struct CheckClear : IForm
    {
        static bool IForm.Check => true;
        static bool IForm.Clear => true;
    }

    private readonly struct CheckNoClear : IForm
    {
        static bool IForm.Check => true;
    }

    private readonly struct Single : IFormat
    {
        public static int Bytes => 4;
        public static FloatRegister Read(byte* memory) => MemoryFormat.FromSingle(*(uint*)memory);
        public static void Write(byte* memory, in FloatRegister value) => *(uint*)memory = MemoryFormat.ToSingle(value);
    }

    private readonly struct Double : IFormat
    {
        public static int Bytes => 8;
        public static FloatRegister Read(byte* memory) => MemoryFormat.FromDouble(*(ulong*)memory);
        public static void Write(byte* memory, in FloatRegister value) => *(ulong*)memory = MemoryFormat.ToDouble(value);
    }

    private readonly struct Integer : IFormat
    {
        public static int Bytes => 8;
        public static FloatRegister Read(byte* memory) => MemoryFormat.FromInteger(*(ulong*)memory);
        public static void Write(byte* memory, in FloatRegister value) => *(ulong*)memory = value.Significand;
    }

    private readonly struct Extended : IFormat
    {
        public static int Bytes => 10;
        public static FloatRegister Read(byte* memory) => MemoryFormat.FromExtended(*(ulong*)memory, *(ushort*)(memory + 8));
        public static void Write(byte* memory, in FloatRegister value)
        {
            *(ulong*)memory = value.Significand;
            *(ushort*)(memory + 8) = MemoryFormat.ToExtendedSignExponent(value);
        }
    }

    private readonly struct Spilled : IFormat
    {
        public static int Bytes => 16;
        public static FloatRegister Read(byte* memory) => MemoryFormat.FromSpill(*(ulong*)memory, *(ulong*)(memory + 8));
        public static void Write(byte* memory, in FloatRegister value)
        {
            *(ulong*)memory = value.Significand;
            *(ulong*)(memory + 8) = MemoryFormat.SpillHigh(value);
        }
    }

    private readonly struct SinglePair : IFormat
    {
        public static int Bytes => 8;
        public static bool Pair => true;
        public static FloatRegister Read(byte* memory) => Single.Read(memory);
        public static FloatRegister ReadSecond(byte* memory) => Single.Read(memory + 4);
    }

    private readonly struct DoublePair : IFormat
    {
        public static int Bytes => 16;
        public static bool Pair => true;
        public static FloatRegister Read(byte* memory) => Double.Read(memory);
        public static FloatRegister ReadSecond(byte* memory) => Double.Read(memory + 8);
    }

    private readonly struct IntegerPair : IFormat
    {
        public static int Bytes => 16;
        public static bool Pair => true;
        public static FloatRegister Read(byte* memory) => Integer.Read(memory);
        public static FloatRegister ReadSecond(byte* memory) => Integer.Read(memory + 8);
    }

    private static int Load<TFormat, TForm>(VcpuState* s, Instruction* i)
        where TFormat : struct, IFormat
        where TForm : struct, IForm
    {
        uint f1 = i->R1;
        uint f2 = TFormat.Pair ? i->R2 : 2u;
        // A pair needs one register of each parity (SDM vol 3, ldfp); rotation keeps the parity of names of one file.
        if (f1 < 2 || f2 < 2 || (i->Completers != 0 && Registers.BadTarget(s, i->R3)) || (TFormat.Pair && SameParity(s, f1, f2)))
            return Fault.IllegalOperation(s, i);
        int check = FloatingAccess.CheckEnabled(s, i, f1, TFormat.Pair ? f2 : 0);
        if (check != Step.Next)
            return check;
        bool nat = Registers.Nat(s, i->R3) != 0;
        if (!TForm.Speculative && nat)
            return Fault.DataNatConsumption(s, i, Isr.R);
        ulong address = Registers.Gr(s, i->R3);
        if (TForm.Check && Alat.Check(s, f1, isFloat: true))
        {
            if (TForm.Clear)
                Alat.Remove(s, f1, isFloat: true);
            Loads.UpdateBase(s, i, i->Completers);
            return Step.Next;
        }

        byte* buffer = stackalloc byte[16];
        byte* memory = FastTlb.TryRead(s->Mmu, address, TFormat.Bytes is 10 ? 16 : TFormat.Bytes);
        bool deferred = false;
        var place = default(AccessPlace);
        if (memory != null && !nat && (s->PsrValue & Psr.Ed) == 0)
        {
            place = new AccessPlace((ulong)(memory - s->MemoryBase), true);
        }
        else
        {
            memory = buffer;
            deferred = TForm.Speculative && (nat || (s->PsrValue & Psr.Ed) != 0);
            if (!deferred)
            {
                int unit = TFormat.Pair ? TFormat.Bytes / 2 : TFormat.Bytes;
                int step = DataAccess.ReadBytes(s, i, address, TFormat.Bytes, unit, AccessOf<TForm>(), buffer, &place, &deferred);
                if (step != Step.Next)
                    return step;
            }
        }

        if (TForm.Advanced || TForm.Check)
        {
            Alat.Remove(s, f1, isFloat: true);
            if (!deferred && place.Speculative && !TForm.Clear)
                Alat.Insert(s, f1, isFloat: true, place.Physical, TFormat.Bytes);
        }

        bool empty = TForm.Advanced && !deferred && !place.Speculative;
        Registers.SetFr(s, f1, deferred ? FloatRegister.NatVal : empty ? FloatRegister.Zero : TFormat.Read(memory));
        if (TFormat.Pair)
            Registers.SetFr(s, f2, deferred ? FloatRegister.NatVal : empty ? FloatRegister.Zero : TFormat.ReadSecond(memory));
        Loads.UpdateBase(s, i, i->Completers);
        return Step.Next;
    }

    private static LoadKind AccessOf<TForm>() where TForm : struct, IForm =>
        TForm.Speculative ? LoadKind.Speculative : TForm.Advanced ? LoadKind.Advanced : LoadKind.Ordinary;

    // Physical parity: static registers as named, rotating ones shifted by rrb.fr.
    private static bool SameParity(VcpuState* s, uint f1, uint f2)
    {
        uint rrb = (uint)(s->Cfm >> 25) & 0x7f;
        uint first = f1 >= 32 ? f1 + rrb : f1;
        uint second = f2 >= 32 ? f2 + rrb : f2;
        return ((first ^ second) & 1) == 0;
    }

    private static int Store<TFormat>(VcpuState* s, Instruction* i) where TFormat : struct, IFormat
    {
        if (i->Completers != 0 && Registers.BadTarget(s, i->R3))
            return Fault.IllegalOperation(s, i);
        int check = FloatingAccess.CheckEnabled(s, i, i->R2, 0);
        if (check != Step.Next)
            return check;
        FloatRegister* value = Registers.Fr(s, i->R2);
        if (Registers.Nat(s, i->R3) != 0 || (typeof(TFormat) != typeof(Spilled) && value->IsNatVal))
            return Fault.DataNatConsumption(s, i, Isr.W);
        ulong address = Registers.Gr(s, i->R3);
        byte* host = FastTlb.TryWrite(s->Mmu, address, TFormat.Bytes is 10 ? 16 : TFormat.Bytes);
        if (host != null)
        {
            TFormat.Write(host, *value);
            if (s->AlatValid != 0)
                Alat.Store(s, (ulong)(host - s->MemoryBase), TFormat.Bytes);
        }
        else
        {
            byte* buffer = stackalloc byte[16];
            TFormat.Write(buffer, *value);
            int step = DataAccess.WriteBytes(s, i, address, TFormat.Bytes, TFormat.Bytes, buffer);
            if (step != Step.Next)
                return step;
        }

        if (i->Completers != 0)
            Registers.SetGr(s, i->R3, address + i->Immediate);
        return Step.Next;
    }
}
