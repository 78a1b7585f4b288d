namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>The 41 bits of the instructions that a program's skeleton is made of (SDM vol 3, chapter 4). Displacements are in bundles.</summary>
internal static class SlotBits
{
    public const ulong NopM = 1UL << 27, NopI = 1UL << 27, NopF = 1UL << 27, NopX = 1UL << 27, NopB = 2UL << 37;
    public const ulong Clrrrb = 4UL << 27, Cover = 2UL << 27, Bsw0 = 0xCUL << 27, Bsw1 = 0xDUL << 27;

    public static ulong Nop(char unit) => unit == 'B' ? NopB : NopM;

    /// <summary>A branch of B1 or B2: 0 cond, 2 wexit, 3 wtop, 5 cloop, 6 cexit, 7 ctop.</summary>
    public static ulong Branch(int type, int qp, int bundles) => 4UL << 37 | (ulong)type << 6 | (uint)qp | Target(bundles);

    public static ulong Call(int b, int qp, int bundles) => 5UL << 37 | (ulong)b << 6 | (uint)qp | Target(bundles);

    public static ulong BranchIndirect(int b, int qp) => 0x20UL << 27 | (ulong)b << 13 | (uint)qp;

    public static ulong Return(int b, int qp) => 0x21UL << 27 | 4UL << 6 | (ulong)b << 13 | (uint)qp;

    public static ulong CallIndirect(int b, int target, int qp) => 1UL << 37 | 1UL << 32 | (ulong)b << 6 | (ulong)target << 13 | (uint)qp;

    /// <summary>chk: the major opcode with x3, and its register's field.</summary>
    public static ulong Check(ulong opcode, bool sourceField, int register, int qp, int bundles)
    {
        ulong displacement = (ulong)bundles & 0x1F_FFFF;
        return sourceField
            ? opcode | (displacement >> 20) << 36 | (displacement >> 7 & 0x1FFF) << 20 | (ulong)register << 13 | (displacement & 0x7F) << 6 | (uint)qp
            : opcode | (displacement >> 20) << 36 | (displacement & 0xF_FFFF) << 13 | (ulong)register << 6 | (uint)qp;
    }

    public static ulong Movl(int r, ulong value) =>
        6UL << 37 | value >> 63 << 36 | (value >> 7 & 0x1FF) << 27 | (value >> 16 & 0x1F) << 22 | (value >> 21 & 1) << 21 | (value & 0x7F) << 13 | (ulong)r << 6;

    /// <summary>The L slot of <see cref="Movl"/>.</summary>
    public static ulong MovlHigh(ulong value) => value >> 22 & ((1UL << 41) - 1);

    public static ulong AddImmediate(int r, int immediate, int r3) =>
        8UL << 37 | 2UL << 34 | ((ulong)immediate >> 13 & 1) << 36 | ((ulong)immediate >> 7 & 0x3F) << 27 | ((ulong)immediate & 0x7F) << 13 | (ulong)r3 << 20 | (ulong)r << 6;

    /// <summary>cmp.lt p1,p2=r2,r3</summary>
    public static ulong CompareLess(int p1, int p2, int r2, int r3) => 0xCUL << 37 | (ulong)p1 << 6 | (ulong)r2 << 13 | (ulong)r3 << 20 | (ulong)p2 << 27;

    public static ulong MovToBr(int b, int r) => 7UL << 33 | 1UL << 20 | (ulong)r << 13 | (ulong)b << 6;

    public static ulong MovFromBr(int r, int b) => 0x31UL << 27 | (ulong)b << 13 | (ulong)r << 6;

    public static ulong MovToArImmediateI(int ar, int value) => 0xAUL << 27 | ((ulong)value >> 7 & 1) << 36 | (ulong)ar << 20 | ((ulong)value & 0x7F) << 13;

    public static ulong MovToArI(int ar, int r) => 0x2AUL << 27 | (ulong)ar << 20 | (ulong)r << 13;

    public static ulong MovToArImmediateM(int ar, int value) => 8UL << 27 | 2UL << 31 | ((ulong)value >> 7 & 1) << 36 | (ulong)ar << 20 | ((ulong)value & 0x7F) << 13;

    public static ulong MovToArM(int ar, int r) => 1UL << 37 | 0x2AUL << 27 | (ulong)ar << 20 | (ulong)r << 13;

    public static ulong MovToCr(int cr, int r) => 1UL << 37 | 0x2CUL << 27 | (ulong)cr << 20 | (ulong)r << 13;

    public static ulong MovToRr(int index, int r) => 1UL << 37 | (ulong)index << 20 | (ulong)r << 13;

    /// <summary>mov pr.rot=: bit n of <paramref name="rotating"/> is p16+n, below 27.</summary>
    public static ulong MovToPrRot(uint rotating) => 2UL << 33 | (ulong)rotating << 6;

    public static ulong Alloc(int r, int sof, int sol, int sor) => 1UL << 37 | 6UL << 33 | (ulong)(sor / 8) << 27 | (ulong)sol << 20 | (ulong)sof << 13 | (ulong)r << 6;

    /// <summary>M44: 4 sum, 5 rum, 6 ssm, 7 rsm.</summary>
    public static ulong Mask(int x4, ulong mask) => (ulong)x4 << 27 | (mask >> 23 & 1) << 36 | (mask >> 21 & 3) << 31 | (mask & 0x1F_FFFF) << 6;

    private static ulong Target(int bundles) => ((ulong)bundles >> 20 & 1) << 36 | ((ulong)bundles & 0xF_FFFF) << 13;
}
