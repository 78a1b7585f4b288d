using FastXen.Core.Emit;
using Iced.Intel;
using Assembler = FastXen.Core.Emit.Assembler;
using Label = FastXen.Core.Emit.Label;

namespace FastXen.Core.Tests.Emit;

/// <summary>Labels, displacements, alignment, and code that does not fit.</summary>
public sealed unsafe class ControlFlowTests : IDisposable
{
    private readonly Listing _listing = new();

    public void Dispose() => _listing.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(1000)]
    public void Labels_bound_before_and_after_their_jumps(int distance)
    {
        Assembler a = _listing.Assembler;
        _listing.Begin();
        Label back = a.NewLabel(), forward = a.NewLabel();
        a.Return();
        a.Bind(back);
        for (int i = 0; i < distance; i++)
            a.Return();
        a.Jump(back);
        a.Jump(Condition.Ne, back);
        a.Call(back);
        a.Jump(forward);
        a.Jump(Condition.L, forward);
        a.Call(forward);
        for (int i = 0; i < distance; i++)
            a.Return();
        a.Bind(forward);
        a.Return();

        Assert.Equal(1, a.OffsetOf(back));
        Assert.Equal(a.Size - 1, a.OffsetOf(forward));
        Assert.Equal((nint)(a.Here - 1), (nint)a.AddressOf(forward));
        List<Instruction> code = _listing.Instructions();
        List<Instruction> jumps = [.. code.Where(i => i.Mnemonic != Mnemonic.Ret)];
        Assert.Equal([Mnemonic.Jmp, Mnemonic.Jne, Mnemonic.Call, Mnemonic.Jmp, Mnemonic.Jl, Mnemonic.Call], jumps.Select(i => i.Mnemonic));
        Assert.All(jumps[..3], i => Assert.Equal((ulong)_listing.Executable + 1, i.NearBranchTarget));
        Assert.All(jumps[3..], i => Assert.Equal((ulong)_listing.Executable + (ulong)a.OffsetOf(forward), i.NearBranchTarget));
        Assert.Equal(distance <= 100, jumps[0].IsJmpShort);
        Assert.Equal(distance <= 100, jumps[1].IsJccShort);
        Assert.Equal(2 * distance + 2, code.Count - jumps.Count);
    }

    [Theory]
    [InlineData(126, true)]
    [InlineData(127, false)]
    public void A_backward_jump_is_short_as_far_as_it_reaches(int between, bool isShort)
    {
        Assembler a = _listing.Assembler;
        _listing.Begin();
        Label back = a.NewLabel();
        a.Bind(back);
        for (int i = 0; i < between; i++)
            a.Return();
        a.Jump(Condition.E, back);
        Instruction last = _listing.Instructions()[^1];
        Assert.Equal(isShort, last.IsJccShort);
        Assert.Equal((ulong)_listing.Executable, last.NearBranchTarget);
    }

    [Fact]
    public void All_conditions()
    {
        Assembler a = _listing.Assembler;
        foreach (Condition condition in Enum.GetValues<Condition>())
        {
            _listing.Begin();
            Label back = a.NewLabel(), forward = a.NewLabel();
            a.Bind(back);
            a.Jump(condition, back);
            a.Jump(condition, forward);
            a.Jump(condition, _listing.Executable - 100);
            a.Bind(forward);
            Assert.All(_listing.Instructions(), i => Assert.Equal(condition.ToString(), i.ConditionCode.ToString(), ignoreCase: true));
        }
    }

    [Fact]
    public void Absolute_targets_are_where_code_runs()
    {
        Assembler a = _listing.Assembler;
        byte* target = _listing.Executable + 0x1234567;
        _listing.Begin();
        a.Jump(target);
        a.Jump(Condition.A, target);
        a.Call(target);
        Assert.All(_listing.Instructions(), i => Assert.Equal((ulong)target, i.NearBranchTarget));
        Assert.Equal((nint)(_listing.Executable + a.Size), (nint)a.Here);
        Assert.Equal(["jmp", "ja", "call"], _listing.Instructions().Select(i => i.Mnemonic.ToString().ToLowerInvariant()));
    }

    [Fact]
    public void A_patchable_jump_has_an_aligned_displacement()
    {
        Assembler a = _listing.Assembler;
        for (int before = 0; before < 8; before++)
        {
            _listing.Begin();
            for (int i = 0; i < before; i++)
                a.Return();
            int offset = a.JumpPatchable(_listing.Executable + 4096);
            Assert.Equal(0, offset & 3);
            Assert.Equal(a.Size - 4, offset);
            Instruction jump = _listing.Instructions()[^1];
            Assert.Equal((Mnemonic.Jmp, (ulong)_listing.Executable + 4096), (jump.Mnemonic, jump.NearBranchTarget));
            Assert.All(_listing.Instructions()[before..^1], i => Assert.Equal(Mnemonic.Nop, i.Mnemonic));
        }
    }

    [Fact]
    public void Alignment_is_made_of_nops()
    {
        Assembler a = _listing.Assembler;
        for (int before = 0; before <= 64; before++)
        {
            _listing.Begin();
            for (int i = 0; i < before; i++)
                a.Return();
            a.Align(64);
            Assert.Equal((before + 63) / 64 * 64, a.Size);
            List<Instruction> nops = _listing.Instructions()[before..];
            Assert.All(nops, i => Assert.Equal(Mnemonic.Nop, i.Mnemonic));
            Assert.Equal((a.Size - before + 8) / 9, nops.Count);
        }
    }

    [Fact]
    public void Labels_are_used_correctly_or_not_at_all()
    {
        Assembler a = _listing.Assembler;
        _listing.Begin();
        Label label = a.NewLabel();
        Assert.Throws<InvalidOperationException>(() => a.OffsetOf(label));
        a.Bind(label);
        Assert.Throws<InvalidOperationException>(() => a.Bind(label));
    }

    [Fact]
    public void Many_labels_in_many_pieces_of_code()
    {
        Assembler a = _listing.Assembler;
        for (int piece = 0; piece < 3; piece++)
        {
            _listing.Begin();
            Label[] labels = [.. Enumerable.Range(0, 1000).Select(_ => a.NewLabel())];
            foreach (Label label in labels)
                a.Jump(label);
            foreach (Label label in labels.Reverse())
            {
                a.Bind(label);
                a.Return();
            }

            IEnumerable<ulong> targets = _listing.Instructions().Where(i => i.Mnemonic == Mnemonic.Jmp).Select(i => i.NearBranchTarget - (ulong)_listing.Executable);
            Assert.Equal(labels.Select(l => (ulong)a.OffsetOf(l)), targets);
            Assert.Equal(Enumerable.Range(0, 1000).Select(i => (ulong)(5000 + 999 - i)), targets);
        }
    }

    [Fact]
    public void What_does_not_fit_is_not_written()
    {
        byte* buffer = stackalloc byte[256];
        var bytes = new Span<byte>(buffer, 256);
        for (int capacity = 0; capacity < 128; capacity++)
        {
            bytes.Fill(0xcc);
            Assembler a = _listing.Assembler;
            a.Begin(buffer, _listing.Executable, capacity);
            Label forward = a.NewLabel(), never = a.NewLabel();
            for (int i = 0; i < 10; i++)
            {
                a.Jump(forward);
                a.MovImmediate(HostRegister.R10, 0x0123456789abcdef);
                a.LockArithmetic(Alu.Add, new HostAddress(HostRegister.R12, HostRegister.R13, 8, 0x12345678), 0x12345678, 8);
                a.Jump(_listing.Executable);
                a.JumpPatchable(_listing.Executable);
                a.Align(64);
                a.Jump(never);
            }

            a.Bind(forward);
            Assert.True(a.Overflow);
            Assert.Equal(capacity, a.Size);
            Assert.DoesNotContain(bytes[capacity..].ToArray(), b => b != 0xcc);
            a.Begin(buffer, _listing.Executable, 64);
            a.Return();
            Assert.Equal((false, 1, 0xc3), (a.Overflow, a.Size, buffer[0]));
        }
    }
}
