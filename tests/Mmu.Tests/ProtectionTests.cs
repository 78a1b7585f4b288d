namespace FastXen.Mmu.Tests;

public sealed unsafe class ProtectionTests
{
    // Manual volume 2, table "Page Access Rights": for each page privilege level 3..0, what levels 3, 2, 1, 0 may do.
    private static readonly string[][] Table =
    [
        ["R R R R", "- R R R", "- - R R", "- - - R"],
        ["RX RX RX RX", "- RX RX RX", "- - RX RX", "- - - RX"],
        ["RW RW RW RW", "- RW RW RW", "- - RW RW", "- - - RW"],
        ["RWX RWX RWX RWX", "- RWX RWX RWX", "- - RWX RWX", "- - - RWX"],
        ["R RW RW RW", "- R RW RW", "- - R RW", "- - - RW"],
        ["RX RX RX RWX", "- RX RX RWX", "- - RX RWX", "- - - RWX"],
        ["RWX RW RW RW", "- RWX RW RW", "- - RWX RW", "- - - RWX"],
        ["X X X RX", "X X X RX", "X X X RX", "X X X RX"],
    ];

    [Fact]
    public void AccessRightsAreThoseOfTheManualsTable()
    {
        for (int rights = 0; rights < 8; rights++)
        {
            for (int privilege = 0; privilege < 4; privilege++)
            {
                string[] levels = Table[rights][3 - privilege].Split(' ');
                for (int cpl = 0; cpl < 4; cpl++)
                {
                    string allowed = levels[3 - cpl];
                    Check(AccessKind.Read, allowed.Contains('R'));
                    Check(AccessKind.Read | AccessKind.Rse, allowed.Contains('R'));
                    Check(AccessKind.FlushCache, allowed.Contains('R'));
                    Check(AccessKind.Write, allowed.Contains('W'));
                    Check(AccessKind.Write | AccessKind.Rse, allowed.Contains('W'));
                    Check(AccessKind.ReadWrite, allowed.Contains('R') && allowed.Contains('W'));
                    Check(AccessKind.Fetch, allowed.Contains('X'));

                    void Check(AccessKind kind, bool expected) =>
                        Assert.True(expected == Protection.Allows(rights, privilege, cpl, kind), $"ar {rights} pl {privilege} cpl {cpl} {kind}");
                }
            }
        }
    }

    [Fact]
    public void KeysDisableWhatTheirBitsSay()
    {
        using var machine = new TestMachine();
        for (int bits = 0; bits < 16; bits++)
        {
            Assert.Equal(TlbResult.Ok, MmuRegisters.SetPkr(machine.M, 15, 0xabcdefu << 8 | (uint)bits));
            bool valid = (bits & 1) != 0, wd = (bits & 2) != 0, rd = (bits & 4) != 0, xd = (bits & 8) != 0;
            Check(AccessKind.Read, rd);
            Check(AccessKind.Write, wd);
            Check(AccessKind.ReadWrite, rd || wd);
            Check(AccessKind.Fetch, xd);
            Assert.Equal(TranslationOutcome.KeyMiss, Protection.CheckKey(machine.M, 0xabcdee, AccessKind.Read));

            void Check(AccessKind kind, bool disabled) => Assert.Equal(
                !valid ? TranslationOutcome.KeyMiss : disabled ? TranslationOutcome.KeyPermission : TranslationOutcome.Ok,
                Protection.CheckKey(machine.M, 0xabcdef, kind));
        }
    }

    [Fact]
    public void AKeyIsValidInOneRegisterOnly()
    {
        using var machine = new TestMachine();
        MmuRegisters.SetPkr(machine.M, 0, 5 << 8 | 1);
        MmuRegisters.SetPkr(machine.M, 1, 6 << 8 | 1);
        MmuRegisters.SetPkr(machine.M, 2, 5 << 8 | 7);
        Assert.Equal(5UL << 8, machine.M->Pkr[0]);
        Assert.Equal(6UL << 8 | 1, machine.M->Pkr[1]);
        Assert.Equal(TranslationOutcome.KeyPermission, Protection.CheckKey(machine.M, 5, AccessKind.Read));
    }

    [Theory]
    [InlineData(16UL, 0UL)]
    [InlineData(0UL, 0x10UL)]
    [InlineData(0UL, 0x80UL)]
    [InlineData(0UL, 1UL << 32)]
    public void ReservedPkrFieldsFault(ulong index, ulong value)
    {
        using var machine = new TestMachine();
        Assert.Equal(TlbResult.ReservedRegisterField, MmuRegisters.SetPkr(machine.M, index, value));
    }

    [Fact]
    public void DebugRegistersMatchAnyByteAtTheirLevels()
    {
        using var machine = new TestMachine();
        const ulong Full = (1UL << 56) - 1;
        const ulong Read = 1UL << 63, Write = 1UL << 62;
        Set(7, 0x2000_0000_0000_1004, Full & ~3UL | Write | 1UL << (56 + 3));
        Assert.True(Match(0x2000_0000_0000_1004, 4, AccessKind.Write, 3));
        Assert.True(Match(0x2000_0000_0000_1000, 8, AccessKind.Write, 3));
        Assert.True(Match(0x2000_0000_0000_1007, 1, AccessKind.ReadWrite, 3));
        Assert.False(Match(0x2000_0000_0000_1000, 4, AccessKind.Write, 3));
        Assert.False(Match(0x2000_0000_0000_1008, 8, AccessKind.Write, 3));
        Assert.False(Match(0x2000_0000_0000_1004, 4, AccessKind.Read, 3));
        Assert.False(Match(0x2000_0000_0000_1004, 4, AccessKind.Write, 2));
        Assert.False(Match(0x4000_0000_0000_1004, 4, AccessKind.Write, 3));
        Assert.False(Match(0x2000_0000_0000_1004, 16, AccessKind.Fetch, 3));
        Set(7, 0x1000, Full & ~0xfffUL | Read | 1UL << 56);
        Assert.True(Match(0x1ff8, 8, AccessKind.Read, 0));
        Assert.True(Match(0x0ff8, 16, AccessKind.Read, 0));
        Assert.False(Match(0x0ff8, 8, AccessKind.Read, 0));
        MmuRegisters.SetIbr(machine.M, 2, 0x4000);
        MmuRegisters.SetIbr(machine.M, 3, Full & ~15UL | 1UL << 63 | 1UL << 56);
        Assert.True(Match(0x4000, 16, AccessKind.Fetch, 0));
        Assert.False(Match(0x4010, 16, AccessKind.Fetch, 0));
        Assert.False(Match(0x4000, 16, AccessKind.Read, 0));
        Assert.Equal(TlbResult.ReservedRegisterField, MmuRegisters.SetDbr(machine.M, 16, 0));

        void Set(int pair, ulong address, ulong control)
        {
            Assert.Equal(TlbResult.Ok, MmuRegisters.SetDbr(machine.M, (ulong)(2 * pair), address));
            Assert.Equal(TlbResult.Ok, MmuRegisters.SetDbr(machine.M, (ulong)(2 * pair + 1), control));
        }

        bool Match(ulong va, int size, AccessKind kind, int privilege) => Protection.DebugMatches(machine.M, va, size, kind, privilege);
    }
}
