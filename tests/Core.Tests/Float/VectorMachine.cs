using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using FastXen.Core.Decode;
using FastXen.Core.Float;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using Decoder = FastXen.Core.Decode.Decoder;

namespace FastXen.Core.Tests.Float;

/// <summary>
/// A processor without memory or run loop: enough to execute the kit's floating-point vectors slot by slot through the
/// decoder and the floating-point handlers.
/// </summary>
internal sealed unsafe class VectorMachine : IDisposable
{
    private const int Rotating = 96;

    private readonly void* _block;
    private readonly VcpuState* _state;
    private readonly Instruction* _bundle;
    private readonly delegate*<VcpuState*, Instruction*, int>* _handlers;

    public VectorMachine()
    {
        int handlers = Enum.GetValues<Opcode>().Length * sizeof(nint);
        nuint size = (nuint)(sizeof(VcpuState) + (3 * sizeof(Instruction)) + handlers + (Rotating * (sizeof(FloatRegister) + 9)) + 64);
        _block = NativeMemory.AllocZeroed(size);
        byte* next = (byte*)_block;
        _bundle = (Instruction*)next;
        next += 3 * sizeof(Instruction);
        _handlers = (delegate*<VcpuState*, Instruction*, int>*)next;
        next += handlers;
        _state = (VcpuState*)next;
        next += sizeof(VcpuState);
        _state->RotatingFr = (FloatRegister*)next - 32;
        next += Rotating * sizeof(FloatRegister);
        _state->FrameBase = (ulong*)next - 32;
        next += Rotating * sizeof(ulong);
        _state->FrameNat = next - 32;
        FloatingHandlers.Bind(_handlers);
    }

    public VcpuState* State => _state;

    public void Dispose() => NativeMemory.Free(_block);

    /// <summary>Runs one vector (a line of the kit's file) and tells what differs; null when nothing does.</summary>
    public string? Run(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement vector = document.RootElement;
        JsonElement input = vector.GetProperty("in");
        byte[] code = Convert.FromHexString(vector.GetProperty("code").GetString()!);
        ulong start = Hex(vector.GetProperty("ip"));
        Expected expected = Expected.Default(input);
        Load(expected);
        expected.Apply(vector.GetProperty("out"));

        _state->Ip = start;
        for (int offset = 0; offset < code.Length && _state->Ip == start + (ulong)offset; offset += 16)
        {
            Decoder.DecodeBundle(BitConverter.ToUInt64(code, offset), BitConverter.ToUInt64(code, offset + 8), _bundle);
            _state->CodeSlots = _bundle;
            _state->CodeVa = _state->Ip;
            int step = Step.Next;
            for (int slot = 0; slot < 3 && step == Step.Next; slot++)
            {
                Instruction* i = _bundle + slot;
                if (i->Opcode is Opcode.NopI or Opcode.NopM or Opcode.NopF or Opcode.HintF or Opcode.NopB or Opcode.NopX or Opcode.LongSecondSlot
                    || Registers.Pr(_state, i->Qp) == 0)
                    continue;
                if (_handlers[(int)i->Opcode] == null)
                    return $"no handler for {i->Opcode}";
                step = _handlers[(int)i->Opcode](_state, i);
            }

            if (step == Step.Next)
                _state->Ip += 16;
        }

        return Compare(expected, vector.GetProperty("out"));
    }

    private void Load(Expected e)
    {
        _state->Cfm = e.Cfm;
        _state->GrLimit = 31 + (uint)_state->Sof;
        _state->PsrValue = 3UL << Psr.CplShift;
        _state->Pr = e.LogicalPr();
        _state->Ar[Ar.Fpsr] = e.Fpsr;
        _state->NatPresent = 1;
        for (uint n = 0; n < 128; n++)
        {
            uint r = e.LogicalGr(n), f = e.LogicalFr(n);
            *Registers.GrAddress(_state, r) = e.Gr[n];
            *Registers.NatAddress(_state, r) = e.Nat[n] ? (byte)1 : (byte)0;
            *Registers.Fr(_state, f) = e.Fr[n];
        }
    }

    private string? Compare(Expected e, JsonElement output)
    {
        var differences = new StringBuilder();
        void Check<T>(string name, T got, T want)
        {
            if (!EqualityComparer<T>.Default.Equals(got, want))
                differences.Append(CultureInfo.InvariantCulture, $" {name} {got:x} expected {want:x}");
        }

        Check("ip", _state->Ip, Hex(output.GetProperty("ip")));
        Check("pr", _state->Pr, e.LogicalPr());
        Check("fpsr", _state->Ar[Ar.Fpsr], e.Fpsr);
        for (uint n = 0; n < 128; n++)
        {
            uint r = e.LogicalGr(n), f = e.LogicalFr(n);
            Check($"f{n}", *Registers.Fr(_state, f), e.Fr[n]);
            Check($"r{n}", Registers.Gr(_state, r), e.Gr[n]);
            Check($"r{n}.nat", Registers.Nat(_state, r) != 0, e.Nat[n]);
        }

        return differences.Length == 0 ? null : differences.ToString();
    }

    private static ulong Hex(JsonElement e) => ulong.Parse(e.GetString().AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>Registers as the kit names them: without rotation.</summary>
    private sealed class Expected
    {
        public readonly ulong[] Gr = new ulong[128];
        public readonly bool[] Nat = new bool[128];
        public readonly FloatRegister[] Fr = new FloatRegister[128];
        public ulong Pr = 1;
        public ulong Fpsr = 0x0009_804c_0270_033f;
        public ulong Cfm = 0x3060;

        public static Expected Default(JsonElement input)
        {
            var e = new Expected();
            for (uint n = 0; n < 128; n++)
            {
                e.Gr[n] = n * 0x0101_0101_0101_0101UL;
                e.Fr[n] = new FloatRegister(0xffff + n, 0x8000_0000_0000_0000 | (n * 0x01_0101_0101UL));
            }

            e.Fr[0] = default;
            e.Fr[1] = FloatRegister.One;
            e.Apply(input);
            return e;
        }

        public void Apply(JsonElement state)
        {
            foreach (JsonProperty part in state.EnumerateObject())
            {
                switch (part.Name)
                {
                    case "gr":
                        foreach (JsonProperty r in part.Value.EnumerateObject())
                            Gr[Number(r.Name)] = Hex(r.Value);
                        break;
                    case "fr":
                        foreach (JsonProperty f in part.Value.EnumerateObject())
                            Fr[Number(f.Name)] = new FloatRegister((uint)Hex(f.Value[0]), Hex(f.Value[1]));
                        break;
                    case "nat" or "nonat":
                        foreach (JsonElement r in part.Value.EnumerateArray())
                            Nat[r.GetInt32()] = part.Name == "nat";
                        break;
                    case "pr":
                        Pr = Hex(part.Value);
                        break;
                    case "cfm":
                        Cfm = Hex(part.Value);
                        break;
                    case "ar":
                        Fpsr = part.Value.TryGetProperty("fpsr", out JsonElement fpsr) ? Hex(fpsr) : Fpsr;
                        break;
                }
            }
        }

        public uint LogicalFr(uint n) => n < 32 ? n : 32 + Back(n - 32, (uint)(Cfm >> 25) & 0x7f, 96);

        public uint LogicalGr(uint n)
        {
            uint rotating = (uint)(Cfm >> 14 & 0xf) * 8;
            return n < 32 || n - 32 >= rotating ? n : 32 + Back(n - 32, (uint)(Cfm >> 18) & 0x7f, rotating);
        }

        public ulong LogicalPr()
        {
            ulong pr = Pr & 0xffff;
            for (int n = 16; n < 64; n++)
                pr |= (Pr >> n & 1) << (16 + (int)Back((uint)n - 16, (uint)(Cfm >> 32) & 0x3f, 48));
            return pr;
        }

        private static uint Back(uint n, uint rotation, uint modulus) => (n + modulus - (rotation % modulus)) % modulus;

        private static int Number(string name) => int.Parse(name, CultureInfo.InvariantCulture);
    }
}
